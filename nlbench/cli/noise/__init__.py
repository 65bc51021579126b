"""``nlbench noise``: label files, the gallery, tables of fingerprints."""
