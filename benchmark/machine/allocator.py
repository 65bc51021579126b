"""Keep freed memory in the process: glibc otherwise gives large blocks back after every step."""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt(3), from glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_DEFAULT = 128 * 2**10
# The largest first: glibc before 2.35 takes no more than 32 MiB.
_KEPT = (2**30, 2**25)


def keep_memory(keep: bool = True) -> bool:
    """Let malloc reuse large blocks; whether that could be done (only with glibc).

    By default blocks from 128 KiB on are mapped anew for every tensor and unmapped after it, and
    each of their pages is cleared by the kernel at its first use. Holds for the whole process; no
    result changes. ``keep=False`` sets the defaults again, for measurements.
    """
    library = _glibc()
    if library is None:
        return False
    library.mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
    library.mallopt.restype = ctypes.c_int
    for size in _KEPT if keep else (_DEFAULT,):
        if all(library.mallopt(name, size) for name in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)):
            return True
    return False


def release_memory() -> None:
    """Give what was freed and kept back to the kernel; does nothing without glibc."""
    library = _glibc()
    if library is not None:
        library.malloc_trim.argtypes = (ctypes.c_size_t,)
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    return library if hasattr(library, "gnu_get_libc_version") else None
