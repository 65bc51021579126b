"""The command line ``nlbench``, which imports every package and is imported by none."""

from nlbench.cli.main import main

__all__ = ["main"]
