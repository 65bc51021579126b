"""How many files this process may have open at a time."""

from __future__ import annotations

import contextlib
import sys

if sys.platform != "win32":
    import resource

UNLIMITED = 10**6  # in place of no limit
WINDOWS = 8192  # its C library has that many


def most_open_files() -> int:
    """The limit, raised first as far as this process may do that itself."""
    if sys.platform == "win32":
        return WINDOWS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = UNLIMITED if hard == resource.RLIM_INFINITY else min(hard, UNLIMITED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # macOS has another limit besides
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED if soft == resource.RLIM_INFINITY else min(soft, UNLIMITED)
