"""The version of nlbench, without importing anything of it."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The installed version of nlbench; ``0+tree`` when run from a tree that is not installed."""
    try:
        return metadata.version("nlbench")
    except metadata.PackageNotFoundError:
        return "0+tree"
