"""Memory of this machine."""

from __future__ import annotations

import os

# Where the system does not report how much there is.
UNKNOWN = 2**40


def physical() -> int:
    """Bytes of memory that this machine has."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN
