"""How often a piece of code calls the file system, by the name of the call."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from types import FrameType
from typing import Any

# In the modules of the standard library that speak to the system.
_MODULES = (os.name if os.name == "nt" else "posix", "fcntl", "io", "_io")
_FILES = (
    "open",
    "read",
    "write",
    "fsync",
    "flock",
    "rename",
    "replace",
    "link",
    "unlink",
    "remove",
)
_FACTS = ("stat", "lstat", "fstat", "access", "utime", "chmod")
_FOLDERS = ("scandir", "listdir", "mkdir", "rmdir")
_CALLS = frozenset((*_FILES, *_FACTS, *_FOLDERS))
# What opens a file that is closed again, which nothing reports everywhere.
_OPENS = ("open", "scandir", "listdir")


@contextlib.contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the calls of this thread within; each that opens has one that closes beside it.

    What the kernel or a client of a network file system answers by itself counts all the same. The
    files that a folder's listing describes do not count.
    """
    found: Counter[str] = Counter()

    def see(frame: FrameType, event: str, arg: Any) -> None:
        name = arg.__name__ if event == "c_call" else ""
        module = getattr(arg, "__module__", None) or type(getattr(arg, "__self__", arg)).__module__
        if name in _CALLS and module in _MODULES and frame.f_code.co_name != "fdopen":
            found[name] += 1
            found["close"] += name in _OPENS

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        yield found
    finally:
        sys.setprofile(before)
