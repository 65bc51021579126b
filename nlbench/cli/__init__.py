"""The command line ``nlbench``: the top of the house, the only place that knows every package."""

from nlbench.cli.main import main

__all__ = ["main"]
