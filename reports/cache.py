"""What was read of a store's records, kept beside them so that the next report reads only new ones.

One file, ``report-cache.npz`` in the store, column by column. It is safe to delete, is never
trusted over a record, and a file that is damaged, of another version or of other columns counts as
none.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.record import CURVES
from reports.intake import COLUMNS, Taken

FILE = "report-cache.npz"
VERSION = 2
# A change of a file so shortly before it was read may leave its time as it is.
RACY = 2_000_000_000  # ns
_FORMAT = json.dumps([VERSION, COLUMNS, CURVES])
Ints = NDArray[np.int64]


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
    taken: Taken

    def same_file(self, size: int, changed: int) -> bool:
        """Whether a file of this size and time is surely the one that was read."""
        return (size, changed) == (self.size, self.changed) and changed < self.seen - RACY


def load(root: Path) -> dict[str, Entry]:
    """The entries by run id; empty where there is no cache that this version wrote whole."""
    try:
        with (root / FILE).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            # Reading a member checks its CRC-32.
            arrays = {name: file[name] for name in file.files}
        return dict(_entries(arrays))
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
        return {}


def save(root: Path, entries: Mapping[str, Entry]) -> str:
    """Replace the cache, whole or not at all.

    Returns:
        Why it could not be written, in words; empty if it was.
    """
    temporary = None
    try:
        handle, name = tempfile.mkstemp(dir=root, prefix=f".{FILE}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **_arrays(entries))
        temporary.chmod(0o644)
        temporary.replace(root / FILE)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        return f"{root / FILE}: {error.strerror or error}"
    return ""


def _arrays(entries: Mapping[str, Entry]) -> dict[str, Any]:
    kept = list(entries.values())
    taken = [entry.taken for entry in kept]
    rows = [(*t.row, t.started) for t in taken]
    codes, words = encoded(list(zip(*rows, strict=True)) if rows else [])
    curves = [np.empty(0, np.float32) if t.curves is None else t.curves.ravel() for t in taken]
    correct = [np.empty(0, np.uint8) if t.correct is None else t.correct for t in taken]
    extra = [np.frombuffer(t.extra or b"", np.uint8) for t in taken]
    return {
        "format": np.array(_FORMAT),
        "run_id": np.array(list(entries), dtype="U16"),
        "digest": np.array([entry.digest for entry in kept], dtype="U64"),
        "files": np.array([(e.size, e.changed, e.seen) for e in kept], np.int64).reshape(-1, 3),
        "codes": codes,
        "words": np.frombuffer(words.encode(), np.uint8),
        "curves": np.concatenate([np.empty(0, np.float32), *curves]),
        "curves_end": np.cumsum([c.size for c in curves], dtype=np.int64),
        "correct": np.concatenate([np.empty(0, np.uint8), *correct]),
        "correct_end": np.cumsum([c.size for c in correct], dtype=np.int64),
        "extra": np.concatenate([np.empty(0, np.uint8), *extra]),
        "extra_end": np.cumsum([e.size for e in extra], dtype=np.int64),
    }


def _entries(arrays: Mapping[str, NDArray[Any]]) -> Iterable[tuple[str, Entry]]:
    if str(arrays["format"]) != _FORMAT:
        raise ValueError("written by another version")
    rows = decoded(arrays["codes"], arrays["words"].tobytes().decode())
    curves = _parts(arrays["curves"], arrays["curves_end"])
    correct = _parts(arrays["correct"], arrays["correct_end"])
    extra = _parts(arrays["extra"], arrays["extra_end"])
    files = arrays["files"].tolist()
    names, digests = arrays["run_id"].tolist(), arrays["digest"].tolist()
    for at, (run_id, row) in enumerate(zip(names, rows, strict=True)):
        curve, bits = curves[at], correct[at]
        taken = Taken(
            row=row[:-1],
            curves=curve.reshape(len(CURVES), -1) if curve.size else None,
            correct=bits if bits.size else None,
            started=row[-1],
            extra=extra[at].tobytes() or None,
        )
        size, changed, seen = files[at]
        yield run_id, Entry(size, changed, seen, digests[at], taken)


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
