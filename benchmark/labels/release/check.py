"""Check a release: its files against their digests, and its labels against those drawn again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels import reference
from nlbench.benchmark.labels.release import files
from nlbench.benchmark.labels.release.files import Entry


def check(folder: Path, root: Path | None) -> Iterator[tuple[Entry, str]]:
    """Each label set of a release with what is wrong about it; empty if it is as drawn again.

    A label set whose data set is not here yields a message that starts with ``skipped``; its file
    is checked nevertheless.

    Raises:
        UserError: there is no index, or it names nothing.
    """
    entries = files.index(folder)
    if not entries:
        raise UserError(f"{folder / files.INDEX}: no such index; `nlbench noise release` writes it")
    known: dict[str, reference.Clean | str] = {}
    for entry in entries:
        if entry.dataset not in known:
            try:
                known[entry.dataset] = reference.clean_of(entry.dataset, root)
            except UserError as error:
                known[entry.dataset] = f"skipped: {error}"
        yield entry, _problem(folder, entry, known[entry.dataset])


def _problem(folder: Path, entry: Entry, clean: reference.Clean | str) -> str:
    path = folder / entry.file
    if not path.is_file():
        return "no such file"
    if (found := files.sha256(path)) != entry.sha256:
        return f"its bytes have SHA-256 {found}, the index has {entry.sha256}"
    if isinstance(clean, str):
        return clean
    columns = files.table(path)
    if entry.column not in columns:
        return f"has no column {entry.column} (it has {', '.join(columns)})"
    labels = clean.draw(entry.dataset, entry.noise, entry.seed)
    if labels.fingerprint != entry.fingerprint:
        return f"drawn again the labels are {labels.fingerprint}, the index has {entry.fingerprint}"
    expected = {
        "sample": np.arange(len(labels)), "clean": labels.clean, entry.column: labels.noisy,
    }  # fmt: skip
    wrong = [name for name, values in expected.items() if not _same(columns, name, values)]
    return f"column {wrong[0]} is not what is drawn again" if wrong else ""


def _same(columns: Mapping[str, NDArray[np.int64]], name: str, values: NDArray[np.int64]) -> bool:
    return name in columns and np.array_equal(columns[name], values)
