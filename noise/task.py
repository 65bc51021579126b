"""Task: everything a noise model may read, checked once before any model runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nlbench.noise.errors import NoiseError
from nlbench.noise.rng import generator

# Part of every stream's key and of every saved file: raised whenever a model's labels change.
GENERATOR_VERSION = 1

Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Task:
    """Clean labels and a complete setting, as passed to a model's ``draw``.

    labels: (N,) int64 in [0, num_classes), read-only. sizes: (K,) samples per class, all > 0.
    options: every option of the kind with its value. features: what the kind needs, or None.
    folder: where named files are looked for. index: (N,) positions of the samples in the full,
    published order, if they are a part of it. parts: of a mixture; part: the position in one.
    """

    kind: str
    labels: Labels
    num_classes: int
    sizes: Labels
    rate: float
    options: Mapping[str, str]
    seed: int
    dataset: str | None = None
    features: NDArray[Any] | None = None
    folder: Path | None = None
    index: Labels | None = None
    part: int = 0
    parts: tuple[Task, ...] = ()

    def stream(self, purpose: str, *words: str | int) -> np.random.Generator:
        """Return the generator for one purpose.

        Its key holds no rate and no option, so that the flips of one seed at a lower rate are
        among those at a higher one.
        """
        part = ("part", self.part) if self.part else ()
        return generator(
            "nlbench-noise", GENERATOR_VERSION, self.kind, self.seed, *part, purpose, *words
        )


def checked_labels(labels: ArrayLike, num_classes: int, what: str = "labels") -> Labels:
    """Return a read-only int64 copy of 1-D integer labels in [0, num_classes)."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise NoiseError(
            f"{what}: expected a 1-D array of integers, got shape {array.shape} of {array.dtype}"
        )
    if array.size == 0:
        raise NoiseError(f"{what}: there are none")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= num_classes:
        bad = low if low < 0 else high
        index = int(np.argmax(array == bad))
        raise NoiseError(
            f"{what}: {bad} at index {index} is outside the {num_classes} classes "
            f"0..{num_classes - 1}"
        )
    copy: Labels = np.array(array, dtype=np.int64, order="C")
    copy.setflags(write=False)
    return copy


def checked_count(value: object, what: str, least: int) -> int:
    """Return ``value`` as an int of at least ``least``; NoiseError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise NoiseError(f"{what} {value!r} is not an integer of at least {least}")
    return int(value)


def checked_index(index: ArrayLike | None, size: int) -> Labels | None:
    """Return (N,) distinct positions >= 0 as int64, or None if none were given."""
    if index is None:
        return None
    array = np.asarray(index)
    if array.shape != (size,) or array.dtype.kind not in "iu":
        raise NoiseError(f"index: {array.dtype} of shape {array.shape} for {size} labels")
    if array.min() < 0 or len(np.unique(array)) != size:
        raise NoiseError("index: positions must be distinct and not negative")
    return array.astype(np.int64)


def class_sizes(labels: Labels, num_classes: int) -> Labels:
    """Return the samples per class, (K,); NoiseError names the first class that has none."""
    sizes = np.bincount(labels, minlength=num_classes).astype(np.int64)
    if not sizes.all():
        empty = np.flatnonzero(sizes == 0)
        raise NoiseError(
            f"labels: class {empty[0]} has no samples ({len(empty)} of {num_classes} are empty)"
        )
    return sizes
