"""Files that are whole or not there: written beside their place, then renamed.

Every file that a command leaves goes through here. A reader finds the earlier file or the new one,
never a part of it; a full disk or a kill changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

# Names of files on their way: a dot, the name to be, and these.
ENDING = re.compile(r"\.[0-9a-f]{8}")
# In seconds. Where files cannot be locked, what is older was left by a write that was killed.
OLD = 24 * 3600.0


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write to that takes its place when the block ends, and is gone if it raises.

    Links are followed. A device or a pipe, such as ``/dev/stdout``, is written to as it is.

    Raises:
        OSError: it cannot be written; what was there before is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        before: os.stat_result | None = target.stat()
    except FileNotFoundError:
        before = None
    if before is not None and not stat.S_ISREG(before.st_mode) and not target.is_dir():
        with target.open("wb") as file:
            yield file
        return
    remove_leftovers(target)
    temporary, handle = _begin(target)
    try:
        with os.fdopen(handle, "wb") as file:
            if before is not None:
                temporary.chmod(stat.S_IMODE(before.st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
            if sys.platform == "win32":  # there no open file can be renamed
                file.close()
            temporary.replace(target)  # still locked, so that nobody takes it for a leftover
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all (OSError: see :func:`writing`)."""
    with writing(path) as file:
        file.write(content)


def write_text(path: str | Path, text: str) -> None:
    """The same of text, as UTF-8 with line ends as they are; what has no UTF-8 is escaped."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def remove_leftovers(target: Path) -> None:
    """Remove what killed writes of this file left beside it; those that go on are let be."""
    start = f".{target.name}."
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if entry.name.startswith(start) and ENDING.fullmatch(entry.name[len(start) - 1 :]):
                remove_if_left(Path(entry.path))


def remove_if_left(path: Path) -> None:
    """Remove a file on its way if the process that wrote it is gone."""
    # Another process may be faster, or another user may own it: it stays, and harms nothing.
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            seen = os.fstat(handle)
            if stat.S_ISREG(seen.st_mode) and _left(handle, seen):
                path.unlink()
        finally:
            os.close(handle)


def _begin(target: Path) -> tuple[Path, int]:
    """A new file beside the target, open, locked by this process."""
    while True:
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(temporary, flags, 0o666)
        try:
            if sys.platform != "win32":
                with contextlib.suppress(OSError):  # a file system without locks
                    fcntl.flock(handle, fcntl.LOCK_EX)
            if os.fstat(handle).st_nlink:
                return temporary, handle
        except BaseException:
            os.close(handle)
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
            raise
        os.close(handle)  # taken for a leftover before it was locked: once more


def _left(handle: int, seen: os.stat_result) -> bool:
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True
    return time.time() - seen.st_mtime > OLD
