"""A log of bounded length: the beginning and the end of whatever a process prints."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

# Bytes kept of the beginning, and of the end.
KEPT = 2**19


class Log:
    """Reads a pipe in a thread of its own until its end; nothing that is printed can fill a disk.

    Args:
        pipe: file descriptor to read from; closed at its end.
        path: file that :meth:`flush` writes.
    """

    def __init__(self, pipe: int, path: Path) -> None:
        self._pipe, self._path = pipe, path
        self._head, self._tail = bytearray(), bytearray()
        self._lost = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.flush()

    def _read(self) -> None:
        while part := os.read(self._pipe, 65536):
            self._add(part)
        os.close(self._pipe)

    def _add(self, part: bytes) -> None:
        with self._lock:
            room = KEPT - len(self._head)
            self._head += part[:room]
            self._tail += part[room:]
            if (over := len(self._tail) - 2 * KEPT) > 0:  # not at every part: it moves the rest
                over += KEPT
                del self._tail[:over]
                self._lost += over

    def flush(self) -> None:
        """Write what there is so far, if the disk takes it: a full one ends no step."""
        with self._lock:
            end = self._tail[-KEPT:]
            lost = self._lost + len(self._tail) - len(end)
            note = f"\n... {lost} bytes left out ...\n".encode() if lost else b""
            with contextlib.suppress(OSError):
                self._path.write_bytes(bytes(self._head) + note + bytes(end))

    def close(self, seconds: float = 5.0) -> None:
        """Wait for the end of the pipe, but no longer than this, and write the rest."""
        self._thread.join(seconds)
        self.flush()
