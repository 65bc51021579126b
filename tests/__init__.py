"""A package, because baycomp installs a folder `tests` of its own, which would be found instead."""
