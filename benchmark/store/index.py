"""What plans need of a store's records, kept beside them so that they are not all read again.

One file, ``run-index.npz`` in the store, a column for each fact. It is safe to delete, is never
trusted over a record whose file has changed, and one that is damaged or of another version counts
as none. Several processes may write it: the last one's is kept, and is as good.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Stamp
from nlbench.noise import whole

FILE = "run-index.npz"
VERSION = 1
# A change of a file so shortly before it was read may leave its time as it is.
RACY = 2_000_000_000  # ns


class Facts(NamedTuple):
    """What plans need of a record, its time apart; few of a store's differ in it.

    Attributes:
        status: of the record.
        message: what went wrong; empty where nothing did.
        slots: how many runs were trained side by side.
        method_source, part_sources: of the record.
    """

    status: str
    message: str
    slots: int
    method_source: str
    part_sources: Mapping[str, str]


class Entry(NamedTuple):
    """One record as it was when it was read.

    Attributes:
        size: bytes of its file.
        changed: when the file was last changed, ns.
        seen: when it was read, ns.
        seconds: how long its run took.
        facts: the rest.
    """

    size: int
    changed: int
    seen: int
    seconds: float
    facts: Facts

    def is_of(self, file: Stamp | None) -> bool:
        """Whether a file of this size and time is surely the one that was read."""
        return file == (self.size, self.changed) and self.changed < self.seen - RACY


def facts_of(record: RunRecord) -> tuple[float, Facts]:
    """Seconds and facts of a record."""
    message = "" if record.error is None else str(record.error.get("message"))
    slots = int(record.environment.get("slots", 1))
    sources = record.method_source, record.part_sources
    seconds = float(record.timing.get("seconds", 0.0))  # a failed run may have none
    return seconds, Facts(record.status, message, slots, *sources)


@dataclass(frozen=True)
class Index:
    """Entries of many runs, sorted by run id.

    Attributes:
        runs: their ids.
        files: size, changed and seen of each.
        seconds: of each.
        codes: which of ``words`` each has.
        words: distinct facts.
    """

    runs: NDArray[np.bytes_]
    files: NDArray[np.int64]
    seconds: NDArray[np.float64]
    codes: NDArray[np.int32]
    words: Sequence[Facts]

    def __len__(self) -> int:
        return len(self.runs)

    def folder(self, prefix: str) -> Iterator[tuple[int, str, Entry]]:
        """Place, run id and entry of the runs whose id begins so."""
        first, end = np.searchsorted(self.runs, [prefix.encode(), prefix.encode() + b"g"])
        part = slice(int(first), int(end))
        columns = (self.runs[part], self.files[part], self.seconds[part], self.codes[part])
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for at, (run, (size, changed, seen), seconds, code) in enumerate(rows, part.start):
            yield at, run.decode(), Entry(size, changed, seen, seconds, self.words[code])

    def with_changes(self, keep: NDArray[np.bool_], new: Mapping[str, Entry]) -> Index:
        """Those to keep and new ones."""
        used, codes = np.unique(self.codes[keep], return_inverse=True)
        words = [self.words[code] for code in used.tolist()]
        places = {_key(facts): code for code, facts in enumerate(words)}
        for entry in new.values():
            if places.setdefault(_key(entry.facts), len(words)) == len(words):
                words.append(entry.facts)
        added = [places[_key(entry.facts)] for entry in new.values()]
        runs = np.concatenate([self.runs[keep], np.array(list(new), dtype="S16")])
        order = np.argsort(runs, kind="stable")
        files = [(e.size, e.changed, e.seen) for e in new.values()]
        seconds = [entry.seconds for entry in new.values()]
        return Index(
            runs[order],
            np.concatenate([self.files[keep], np.array(files, np.int64).reshape(-1, 3)])[order],
            np.concatenate([self.seconds[keep], np.array(seconds, np.float64)])[order],
            np.concatenate([codes.reshape(-1), added]).astype(np.int32)[order],
            words,
        )


NONE = Index(np.empty(0, "S16"), np.empty((0, 3), np.int64), np.empty(0), np.empty(0, np.int32), ())


def load(root: Path) -> Index:
    """What was kept; nothing where there is no index that this version wrote whole."""
    try:
        with (root / FILE).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return _checked({name: file[name] for name in file.files})  # this checks their CRC-32
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, MemoryError):
        return NONE
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        return NONE


def save(root: Path, index: Index) -> str:
    """Replace the index, whole or not at all; why it could not be written, empty if it was."""
    words = json.dumps([VERSION, *map(list, index.words)])
    try:
        with whole.writing(root / FILE) as file:
            np.savez(
                file,
                runs=index.runs,
                files=index.files,
                seconds=index.seconds,
                codes=index.codes,
                words=np.frombuffer(words.encode(), np.uint8),
            )
    except OSError as error:
        return f"{root / FILE}: {error.strerror or error}"
    return ""


def _checked(arrays: Mapping[str, NDArray[np.generic]]) -> Index:
    """The index of these columns (ValueError, KeyError, TypeError: they are none)."""
    version, *rows = json.loads(arrays["words"].tobytes())
    if version != VERSION:
        raise ValueError("written by another version")
    runs, codes = arrays["runs"].astype("S16", casting="no"), arrays["codes"].astype(np.int32)
    files, seconds = arrays["files"].astype(np.int64), arrays["seconds"].astype(np.float64)
    shapes = runs.shape, codes.shape, seconds.shape, files.shape
    if shapes != ((len(runs),), (len(runs),), (len(runs),), (len(runs), 3)):
        raise ValueError("columns of different lengths")
    if len(runs) and not (codes.min() >= 0 and codes.max() < len(rows)):
        raise ValueError("codes without words")
    return Index(runs, files, seconds, codes, [Facts(*row) for row in rows])


def _key(facts: Facts) -> tuple[object, ...]:
    return (*facts[:-1], *sorted(facts.part_sources.items()))
