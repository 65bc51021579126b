"""What was kept of many records, column by column: arrays that are quick to write and to send."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.store.record import CURVES
from nlbench.reports.read.extract import KeptRecord
from nlbench.reports.read.fields import COLUMNS
from nlbench.reports.read.packed_json import PackedJson

VERSION = 4
# A change of a file so shortly before it was read may leave its time as it is.
RACY = 2_000_000_000  # ns
_FORMAT = json.dumps([VERSION, COLUMNS, CURVES])
Ints = NDArray[np.int64]
Arrays = dict[str, NDArray[Any]]
_NO_CURVES, _NO_BITS = np.empty(0, np.float32), np.empty(0, np.uint8)
_NO_NUMBERS = np.empty(0, np.float64)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it was when it was read.

    Attributes:
        size: bytes of its file.
        changed: when the file was last changed, ns.
        seen: when it was read, ns.
        digest: the record's own digest.
        taken: what the reports keep of it.
    """

    size: int
    changed: int
    seen: int
    digest: str
    taken: KeptRecord

    def same_file(self, size: int, changed: int) -> bool:
        """Whether a file of this size and time is surely the one that was read."""
        return (size, changed) == (self.size, self.changed) and changed < self.seen - RACY


def encode(entries: Mapping[str, Entry]) -> Arrays:
    """Entries by run id as arrays that :func:`decode` reads; equal texts are in them once."""
    kept = list(entries.values())
    taken = [entry.taken for entry in kept]
    shapes = [None if t.evaluations is None else t.evaluations.shape for t in taken]
    rows = [(*t.row, t.started, shape) for t, shape in zip(taken, shapes, strict=True)]
    codes, words = encoded(list(zip(*rows, strict=True)) if rows else [])
    parts: dict[str, list[NDArray[Any]]] = {
        "curves": [_NO_CURVES if t.curves is None else t.curves.ravel() for t in taken],
        "correct": [_NO_BITS if t.correct is None else t.correct for t in taken],
        "numbers": [_NO_NUMBERS if t.evaluations is None else t.evaluations.numbers for t in taken],
        "points": [_of_type(t, np.int32) for t in taken],
        "wide_points": [_of_type(t, np.float64) for t in taken],
    }
    return {
        "format": np.array(_FORMAT),
        "run_id": np.array(list(entries), dtype="U16"),
        "digest": np.array([entry.digest for entry in kept], dtype="U64"),
        "files": np.array([(e.size, e.changed, e.seen) for e in kept], np.int64).reshape(-1, 3),
        "codes": codes,
        "words": np.frombuffer(words.encode(), np.uint8),
        **{name: np.concatenate(part) if part else np.empty(0) for name, part in parts.items()},
        **{
            f"{name}_end": np.cumsum([p.size for p in part], dtype=np.int64)
            for name, part in parts.items()
        },
    }


def decode(arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, Entry]]:
    """Run ids and entries.

    Raises:
        ValueError, KeyError, IndexError: not what :func:`encode` of this version wrote.
    """
    if str(arrays["format"]) != _FORMAT:
        raise ValueError("written by another version")
    rows = decoded(arrays["codes"], arrays["words"].tobytes().decode())
    curves, correct, numbers, points, wide = (
        _parts(arrays[name], arrays[f"{name}_end"])
        for name in ("curves", "correct", "numbers", "points", "wide_points")
    )
    files = arrays["files"].tolist()
    names, digests = arrays["run_id"].tolist(), arrays["digest"].tolist()
    for at, (run_id, row) in enumerate(zip(names, rows, strict=True)):
        curve, bits, shape = curves[at], correct[at], row[-1]
        taken = KeptRecord(
            row=row[:-2],
            curves=curve.reshape(len(CURVES), -1) if curve.size else None,
            correct=bits if bits.size else None,
            started=row[-2],
            evaluations=None
            if shape is None
            else PackedJson(shape, numbers[at], points[at] if points[at].size else wide[at]),
        )
        size, changed, seen = files[at]
        yield run_id, Entry(size, changed, seen, digests[at], taken)


def _of_type(taken: KeptRecord, kind: type[np.generic]) -> NDArray[Any]:
    """The points of a record if they are of this type, else none."""
    none = np.empty(0, kind)
    return (
        none
        if taken.evaluations is None or taken.evaluations.points.dtype != kind
        else taken.evaluations.points
    )


def _parts(whole: NDArray[Any], ends: Ints) -> list[NDArray[Any]]:
    if ends.size and ends[-1] != whole.size:
        raise ValueError("not whole")
    return [whole[start:end] for start, end in pairwise([0, *ends.tolist()])]


def encoded(columns: Sequence[Sequence[Any]]) -> tuple[NDArray[np.int32], str]:
    """Columns of plain values as codes into lists of their distinct values (types kept apart)."""
    codes, words = [], []
    for column in columns:
        places: dict[tuple[type, Any], int] = {}
        codes.append([places.setdefault((type(v), v), len(places)) for v in column])
        words.append([value for _, value in places])
    return np.array(codes, dtype=np.int32), json.dumps(words)


def decoded(codes: NDArray[np.int32], words: str) -> list[tuple[Any, ...]]:
    """The rows of :func:`encoded` columns."""
    known = json.loads(words)
    columns = [
        [values[c] for c in column.tolist()] for values, column in zip(known, codes, strict=True)
    ]
    return list(zip(*columns, strict=True))
