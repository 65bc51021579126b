"""What was read of a data set: sizes, samples of each class, and what looks odd."""

from __future__ import annotations

from collections import Counter

import numpy as np
from tabulate import tabulate

from nlbench.benchmark.datasets.base import Dataset
from nlbench.benchmark.datasets.files import FileDataset
from nlbench.benchmark.datasets.registry import AnyDataset

# Classes shown one by one, and how unequal they may be before it is said.
SHOWN = 30
UNEQUAL = 10
MOST_NAMES = 3


def describe(data: AnyDataset) -> str:
    """A report of a few lines, a table of classes, and the oddities."""
    counts = [np.bincount(y, minlength=data.num_classes) for y in (data.y_train, data.y_test)]
    rows = sorted(zip(data.class_names, *counts, strict=True), key=lambda row: -row[1])
    table = tabulate(rows[:SHOWN], headers=["class", "train", "test"], disable_numparse=True)
    more = f"\n... and {len(rows) - SHOWN} smaller classes" if len(rows) > SHOWN else ""
    odd = [f"odd: {line}" for line in oddities(data)] or ["nothing odd was found"]
    return "\n".join(
        [
            f"{data.name} ({data.label})",
            f"{len(data.y_train):,} training and {len(data.y_test):,} test samples of"
            f" {data.num_classes} classes; {_what(data)}",
            f"fingerprint {data.fingerprint[:16]}",
            "",
            table + more,
            "",
            *odd,
        ]
    )


def oddities(data: AnyDataset) -> list[str]:
    """What a user may want to know before training on it, a line each."""
    found = []
    train, test = (np.bincount(y, minlength=data.num_classes) for y in (data.y_train, data.y_test))
    if (untested := np.flatnonzero(test == 0)).size:
        found.append(f"no test sample of {_names([data.class_names[k] for k in untested])}")
    if train.max() >= UNEQUAL * train.min():
        few, many = data.class_names[int(train.argmin())], data.class_names[int(train.argmax())]
        found.append(
            f"classes are unequal: {train.min():,} training samples of {few}, {train.max():,} of"
            f" {many}"
        )
    return found + (_of_files(data) if isinstance(data, FileDataset) else _of_arrays(data))


def _what(data: AnyDataset) -> str:
    if isinstance(data, FileDataset):
        side = data.train.shorter_side()
        size = "none of which can be opened" if side is None else f"shorter side {side} pixels"
        return f"image files, {size} (median)"
    channels, height, width = data.in_shape
    if height == width == 1:
        return f"rows of {channels} numbers"
    return f"images of {channels} x {height} x {width}, {data.x_train.dtype}"


def _of_files(data: FileDataset) -> list[str]:
    empty = [
        path
        for files in data.parts().values()
        for path, size in zip(files.paths, files.sizes, strict=True)
        if size == 0
    ]
    return [f"{len(empty):,} files are empty: {_names(empty)}"] if empty else []


def _of_arrays(data: Dataset) -> list[str]:
    found = []
    constant = np.flatnonzero(np.ptp(data.x_train.reshape(len(data.x_train), -1), axis=0) == 0)
    rows = data.in_shape[1:] == (1, 1)
    if rows and constant.size:
        found.append(f"columns that are the same in all rows: {_names(constant.tolist())} (from 0)")
    train, test = ([row.tobytes() for row in x] for x in (data.x_train, data.x_test))
    times = Counter(train)
    if repeated := len(train) - len(times):
        labels = len(set(zip(train, data.y_train.tolist(), strict=True))) - len(times)
        found.append(
            f"{repeated:,} training samples repeat others to the bit"
            + (f", {labels:,} of them with another label" if labels else "")
        )
    if both := sum(row in times for row in test):
        found.append(f"{both:,} test samples are training samples, too")
    return found


def _names(words: list[str] | list[int]) -> str:
    rest = len(words) - MOST_NAMES
    return ", ".join(map(str, words[:MOST_NAMES])) + (f" and {rest:,} more" if rest > 0 else "")
