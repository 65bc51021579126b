"""Results of other people: what an archive of records must hold to be shown beside ours."""
