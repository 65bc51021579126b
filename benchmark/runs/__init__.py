"""Runs: from one spec to its record; plan, progress, check of a backend."""
