"""Records on disk: one JSON file per run, stores, archives."""
