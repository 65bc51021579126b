"""A claim's file: whose it is, and what another process finds of it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows: a claim there is dead by its time alone
    fcntl = None  # type: ignore[assignment]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MOST = 4096  # bytes; a claim has about a hundred


@dataclass(frozen=True, order=True)
class Owner:
    """Whose a claim is.

    Attributes:
        host: name of the machine.
        machine: what no other running machine has; the name where the system has nothing better.
        process: its number there.
    """

    host: str
    machine: str
    process: int

    @classmethod
    def here(cls) -> Owner:
        """This process."""
        host = socket.gethostname()
        return cls(host, _BOOT.read_text().strip() if _BOOT.is_file() else host, os.getpid())

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"


UNKNOWN = Owner("an unknown machine", "", 0)


class Seen:
    """A claim's file as another process finds it, open so that its number is not given again.

    Attributes:
        there: whether there is one.
        owner: as the file names it.
        renewed: its time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._found: os.stat_result | None = None

    def __enter__(self) -> Seen:
        text = b""
        try:
            # Opening makes a network file system ask its server anew.
            self._descriptor = _opened(self._path)
            text = os.read(self._descriptor, _MOST)
            self._found = os.fstat(self._descriptor)
        except FileNotFoundError:
            pass
        except OSError:  # no plain file, or one that may not be read
            with contextlib.suppress(FileNotFoundError):
                self._found = self._path.lstat()
        self.there = self._found is not None
        self.renewed = 0.0 if self._found is None else self._found.st_mtime
        self.owner = _parsed(text)
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    @property
    def is_empty(self) -> bool:
        """Whether it is a file without content."""
        found = self._found
        return found is not None and stat.S_ISREG(found.st_mode) and found.st_size == 0

    @property
    def is_folder(self) -> bool:
        """Whether it is none, and no file either."""
        return self._found is not None and stat.S_ISDIR(self._found.st_mode)

    def locks(self) -> bool:
        """Whether its lock was free; it is ours now, until the end."""
        return self._descriptor is not None and lock(self._descriptor)

    def unchanged(self) -> bool:
        """Whether this file is in its place and was not renewed since (FileNotFoundError: none)."""
        return self.is_at(self._path) and self._path.lstat().st_mtime == self.renewed

    def is_at(self, path: Path) -> bool:
        """Whether a path leads to this file."""
        return self._found is not None and same(path.lstat(), self._found)


def _opened(path: Path) -> int:
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        return os.open(path, os.O_RDWR | flags)  # NFS locks only what may be written
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)


def _parsed(text: bytes) -> Owner:
    try:
        values: dict[str, Any] = json.loads(text)
        return Owner(str(values["host"]), str(values["machine"]), int(values["process"]))
    except (ValueError, KeyError, TypeError):
        return UNKNOWN


def lock(descriptor: int) -> bool:
    """Lock an open file if that is possible; whether it is locked by this now."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another's, or a file system without locks
        return False
    return True


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Within, no other thief of this folder looks or renames, where folders can be locked."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two looks found the same file."""
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
