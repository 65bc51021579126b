"""Read a file only if it is a plain one of a bounded size.

What lies in a store may come from anybody: a pipe would hang who opens it, a link may lead out of
the store, a file of gigabytes would fill the memory.
"""

from __future__ import annotations

import os
import stat

from nlbench.benchmark.store.schema import DamagedRecord

# Bytes. A record has tens of kilobytes, one of a data set with 1,000 classes four megabytes.
LIMIT = 16 * 2**20
_FLAGS = os.O_RDONLY | sum(getattr(os, f"O_{n}", 0) for n in ("NOFOLLOW", "NONBLOCK", "BINARY"))
_KINDS = (
    (stat.S_ISLNK, "a link, which is not followed"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


class ForeignFolderError(Exception):
    """The folder of a file is none of the store's; the message names what it is."""


def plain_bytes(path: str) -> bytes:
    """The content of a file.

    Raises:
        FileNotFoundError: there is none.
        DamagedRecord: it is no plain file, or larger than :data:`LIMIT`, or may not be read.
        ForeignFolderError: its folder is a link, or no folder.
        OSError: it cannot be read now.
    """
    folder = os.lstat(os.path.dirname(path))  # noqa: PTH120  # a hundred thousand small files
    if not stat.S_ISDIR(folder.st_mode):
        raise ForeignFolderError(f"its folder is {kind(folder)}")
    try:
        _check(os.lstat(path))  # before it is opened: that alone may set something off
        handle = os.open(path, _FLAGS)
        try:
            seen = os.fstat(handle)
            _check(seen)
            return os.read(handle, seen.st_size + 1)
        finally:
            os.close(handle)
    except PermissionError as error:
        raise DamagedRecord(f"cannot be read ({error.strerror})") from error


def kind(seen: os.stat_result) -> str:
    """What is there, in words."""
    return next((words for test, words in _KINDS if test(seen.st_mode)), "no plain file")


def _check(seen: os.stat_result) -> None:
    if not stat.S_ISREG(seen.st_mode):
        raise DamagedRecord(f"is {kind(seen)}")
    if seen.st_size > LIMIT:
        raise DamagedRecord(f"has {seen.st_size:,} bytes, a record at most {LIMIT:,}")
