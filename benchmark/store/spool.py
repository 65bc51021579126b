"""Texts of records on their way into an archive: kept on disk, in memory only where they are."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

_ROW = struct.Struct("<16s32sqq")
_FIELDS = np.dtype([("run", "S16"), ("digest", "V32"), ("at", "<i8"), ("size", "<i8")])


@dataclass(frozen=True)
class Kept:
    """A text that was kept.

    Attributes:
        run_id: of its record.
        digest: SHA-256 of the text.
        at: its place on disk.
        size: bytes there.
    """

    run_id: str
    digest: bytes
    at: int
    size: int


class Spool:
    """Texts by run id, in any order; the last one of a run counts.

    A record takes 72 bytes of memory here. The texts are on disk, compressed a little.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """``file``: empty, for the texts; what is in it afterwards is of no use to others."""
        self._file = file
        self._rows = bytearray()
        self._end = 0

    def add(self, run_id: str, text: bytes) -> None:
        """Keep a text (OSError: it cannot be written)."""
        packed = zlib.compress(text, 1)
        self._file.write(packed)
        digest = hashlib.sha256(text).digest()
        self._rows += _ROW.pack(run_id.encode(), digest, self._end, len(packed))
        self._end += len(packed)

    def sorted(self) -> Sorted:
        """All of them, by run id; no more can be added."""
        rows = np.frombuffer(self._rows, _FIELDS)
        order = np.argsort(rows["run"], kind="stable")
        runs = rows["run"][order]
        last = np.ones(len(rows), bool)
        last[:-1] = runs[:-1] != runs[1:]
        return Sorted(self._file, rows, order[last])


@dataclass(frozen=True)
class Sorted:
    """The texts of a spool by run id."""

    file: IO[bytes]
    rows: NDArray[np.void]
    order: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[Kept]:
        for at in self.order:
            run, digest, place, size = self.rows[at].item()
            yield Kept(run.decode(), digest, place, size)

    def text(self, kept: Kept) -> bytes:
        """What was added (OSError: it cannot be read)."""
        self.file.seek(kept.at)
        return zlib.decompress(self.file.read(kept.size))
