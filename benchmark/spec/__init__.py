"""What gives a run its identity: RunSpec, Recipe, open-set split, canonical JSON."""
