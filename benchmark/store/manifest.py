"""The manifest of an archive: SHA-256 of every record's text by run id, and the digest of that.

Written and read in parts: a record takes 86 bytes of its text, and 48 in memory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.store.plain_values import shown
from nlbench.benchmark.store.spool import Sorted
from nlbench.benchmark.store.text import parsed

KIND = "nlbench-records"
SCHEMA = 1
# Bytes of a manifest: it names 12 million records. One above LARGE must be canonical to the byte.
LIMIT, LARGE = 2**30, 8 * 2**20
_BATCH = 10_000
_HEAD = re.compile(rb'\{"digest":"([0-9a-f]{64})",')
_START = f'"kind":"{KIND}","records":{{'.encode()
_END = f'}},"schema":{SCHEMA}}}'.encode()
_ROW = np.dtype([("open", "S1"), ("run", "S16"), ("to", "S3"), ("digest", "S64"), ("end", "S2")])
_HEX = re.compile(rb"[0-9a-f]*")


class Readable(Protocol):
    """What is read a part at a time."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer only at the end."""
        ...


class ForeignError(ValueError):
    """It is no manifest of run records."""


class UnsoundError(ValueError):
    """It is a manifest, but damaged or of another schema; the message names which."""


@dataclass(frozen=True)
class Manifest:
    """What an archive declares that it holds.

    Attributes:
        runs: ids, sorted.
        digests: SHA-256 of each one's text, shape (N, 32).
        seen: which were asked for by :meth:`expected`.
    """

    runs: NDArray[np.bytes_]
    digests: NDArray[np.uint8]
    seen: NDArray[np.bool_]

    def expected(self, run_id: str) -> bytes | None:
        """SHA-256 of the text of a run; ``None`` where it is not in here."""
        name = run_id.encode(errors="replace")
        at = int(np.searchsorted(self.runs, name))
        if at == len(self.runs) or self.runs[at] != name:
            return None
        self.seen[at] = True
        return bytes(self.digests[at])

    def missing(self) -> Iterator[str]:
        """The runs that were not asked for."""
        return (run.decode() for run in self.runs[~self.seen])


def written(found: Sorted) -> Iterator[bytes]:
    """Canonical JSON of the manifest of these texts, in parts."""
    digest = hashlib.sha256(b"{")
    for part in _listed(found):
        digest.update(part)
    yield f'{{"digest":"{digest.hexdigest()}",'.encode()
    yield from _listed(found)


def _listed(found: Sorted) -> Iterator[bytes]:
    """The same without its digest and the brace before it."""
    yield _START
    comma = ""
    for kept in found:
        yield f'{comma}"{kept.run_id}":"{kept.digest.hex()}"'.encode()
        comma = ","
    yield _END


def read(file: Readable, size: int) -> Manifest:
    """The manifest in the next bytes of a file.

    Raises:
        ForeignError, UnsoundError: none, or none to rely on.
    """
    return _large(file, size) if size > LARGE else _small(file.read(size))


def _small(text: bytes) -> Manifest:
    try:
        values = parsed(text)
        digest = values.pop("digest")
        records: Mapping[str, str] = values["records"]
        known = values["kind"] == KIND and isinstance(records, dict)
        sound = known and sha256_of(values) == digest
    except (ValueError, KeyError, RecursionError) as error:
        raise ForeignError from error
    if not known:
        raise ForeignError
    if not sound:
        raise UnsoundError("its manifest is damaged; export it again")
    if values.get("schema") != SCHEMA:
        raise UnsoundError(f"schema {shown(values.get('schema'))} is not {SCHEMA}")
    # Digests that are none, or run ids of another length, agree with no record.
    named = ((run.encode(errors="backslashreplace"), str(h)) for run, h in records.items())
    pairs = sorted(named)
    rows = [bytes.fromhex(h) if re.fullmatch("[0-9a-f]{64}", h) else bytes(32) for _, h in pairs]
    runs = np.array([run for run, _ in pairs], dtype=np.bytes_)
    return _of(runs, np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 32))


def _large(file: Readable, size: int) -> Manifest:
    """One that :func:`written` wrote, a batch at a time; what is none is refused at once."""
    head = file.read(len('{"digest":"",') + 64)
    stated = _HEAD.fullmatch(head)
    rows, odd = divmod(size - len(head) - len(_START) - len(_END) + 1, _ROW.itemsize)
    if stated is None or odd or file.read(len(_START)) != _START:
        raise ForeignError
    digest = hashlib.sha256(b"{" + _START)
    runs, digests = np.empty(rows, "S16"), np.empty((rows, 32), np.uint8)
    for start in range(0, rows, _BATCH):
        end = min(start + _BATCH, rows)
        text = file.read(_ROW.itemsize * (end - start) - (end == rows))
        digest.update(text)
        runs[start:end], digests[start:end] = _batch(text + b"," * (end == rows), end - start)
    last = file.read(len(_END))
    digest.update(last)
    if last != _END or digest.hexdigest().encode() != stated[1]:
        raise UnsoundError("its manifest is damaged; export it again")
    return _of(runs, digests)


def _batch(text: bytes, count: int) -> tuple[NDArray[np.bytes_], NDArray[np.uint8]]:
    if len(text) != count * _ROW.itemsize:
        raise EOFError("it ends too early")
    found = np.frombuffer(text, _ROW)
    signs = (found["open"] == b'"') & (found["to"] == b'":"') & (found["end"] == b'",')
    hexes = found["digest"].tobytes()
    if not signs.all() or not _HEX.fullmatch(found["run"].tobytes() + hexes):
        raise ForeignError
    return found["run"], np.frombuffer(bytes.fromhex(hexes.decode()), np.uint8).reshape(-1, 32)


def _of(runs: NDArray[np.bytes_], digests: NDArray[np.uint8]) -> Manifest:
    if (runs[1:] <= runs[:-1]).any():
        raise UnsoundError("its manifest is damaged; export it again")
    return Manifest(runs, digests, np.zeros(len(runs), bool))
