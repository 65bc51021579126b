"""``nlbench noise``: label files, tables of fingerprints."""
