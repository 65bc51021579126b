"""A simulated study of many workers: the load on driver, store and file server."""
