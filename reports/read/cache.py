"""What was read of a store's records, kept beside them so that the next report reads only new ones.

One file, ``report-cache.npz`` in the store: parts of some thousand records, each column by column.
It is safe to delete, is never trusted over a record, and a file that is damaged, of another version
or of other columns counts as none.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlbench.noise import whole
from nlbench.reports.read.columns import Arrays, Entry, decode, encode

FILE = "report-cache.npz"
# Records in a part. Smaller parts are put together when the file is written.
PART = 2000


@dataclass(frozen=True)
class Part:
    """Some records, as they are used and as they are written.

    Attributes:
        entries: by run id.
        arrays: the same, see :mod:`nlbench.reports.read.columns`.
    """

    entries: Mapping[str, Entry]
    arrays: Arrays

    @classmethod
    def of(cls, arrays: Arrays) -> Part:
        """From what :func:`encode` made.

        Raises:
            ValueError, KeyError, IndexError: it was not this version of it.
        """
        return cls(dict(decode(arrays)), arrays)


def load(root: Path) -> tuple[Part, ...]:
    """What was kept; nothing where there is no cache that this version wrote whole."""
    found: dict[str, Arrays] = {}
    try:
        with (root / FILE).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            for name in file.files:
                part, _, column = name.partition("/")
                found.setdefault(part, {})[column] = file[name]  # this checks its CRC-32
        return tuple(map(Part.of, found.values()))
    except (OSError, ValueError, KeyError, IndexError, EOFError, MemoryError):
        return ()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        return ()


def save(root: Path, entries: Mapping[str, Entry], parts: Iterable[Part]) -> str:
    """Replace the cache, whole or not at all.

    Args:
        root: the store's folder.
        entries: what to keep, by run id.
        parts: those of them that are at hand as arrays; a part is written as it is if it is large
            and all of it is still to be kept.

    Returns:
        Why it could not be written, in words; empty if it was.
    """
    try:
        with whole.writing(root / FILE) as file:
            columns: dict[str, Any] = {
                f"{at}/{column}": values
                for at, arrays in enumerate(_arrays(entries, parts))
                for column, values in arrays.items()
            }
            np.savez(file, **columns)
    except OSError as error:
        return f"{root / FILE}: {error.strerror or error}"
    return ""


def _arrays(entries: Mapping[str, Entry], parts: Iterable[Part]) -> Sequence[Arrays]:
    rest = dict(entries)
    whole = []
    for part in parts:
        large = len(part.entries) > PART / 2
        if large and all(rest.get(i) is entry for i, entry in part.entries.items()):
            whole.append(part.arrays)
            for run_id in part.entries:
                del rest[run_id]
    left = list(rest.items())
    return [*whole, *(encode(dict(left[i : i + PART])) for i in range(0, len(left), PART))]
