"""What developers run from the source tree: no part of the wheel."""
