"""Garbage collection where there are many records: nothing in them is garbage, but much to search.

Both contexts change what the interpreter does, not what anything computes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Within: no search for garbage. For code that makes many objects and no cycles."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def collector_spared() -> Iterator[None]:
    """Within: garbage is sought only among what is made within, not in what is there already."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
