"""Suites: the TOML files of studies, and their reader."""
