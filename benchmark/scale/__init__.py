"""A simulated study of many workers: what driver, store and file server would bear."""
