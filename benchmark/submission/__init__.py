"""Results of other people: what an archive of records must hold to stand beside ours."""
