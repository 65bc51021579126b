"""Which samples flip: exact per class, or each with its own coin; nested over rates either way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noise.counts import largest_remainder
from noise.errors import NoiseError
from noise.registry import Option
from noise.rng import raw, unit
from noise.task import Labels, Task

COUNT = Option(
    "count",
    "exact counts per class (largest remainder, exact total) or one coin per sample",
    default="exact",
    choices=("exact", "bernoulli"),
)


def flipped_indices(task: Task, eligible: NDArray[np.bool_] | None = None) -> Labels:
    """Return the indices that flip, chosen on the clean labels among the eligible classes.

    exact: a random order within each class is drawn first and the first quota of it flips, the
    quotas by largest remainder of rate * class size with total round(rate * eligible samples).
    bernoulli: a sample flips if its uniform number is below the rate.
    For one seed the flips at rate r are among those at r' > r: always for bernoulli, and for
    exact wherever the quotas do not fall, as for (r' - r) * class size >= 1.
    """
    words = raw(task.stream("flip"), len(task.labels))
    if task.options["count"] == "bernoulli":
        hit = unit(words) < task.rate
        return np.flatnonzero(hit if eligible is None else hit & eligible[task.labels])
    sizes = task.sizes if eligible is None else task.sizes * eligible
    quotas = largest_remainder(sizes, task.rate)
    order = shuffled_within_classes(task.labels, task.num_classes, words)
    ordered = task.labels[order]
    starts = np.cumsum(task.sizes) - task.sizes
    rank = np.arange(len(order)) - starts[ordered]
    chosen: Labels = order[rank < quotas[ordered]]
    return chosen


def shuffled_within_classes(labels: Labels, num_classes: int, words: NDArray[np.uint64]) -> Labels:
    """Return all indices grouped by class, in random order within each class.

    Sorts keys of (class, random bits, index): no two are equal, so every sorting algorithm of
    every platform gives the same order.
    """
    index_bits = max(1, (len(labels) - 1).bit_length())
    class_bits = max(1, (num_classes - 1).bit_length())
    if index_bits + class_bits > 44:
        raise NoiseError(f"labels: {len(labels)} samples of {num_classes} classes are too many")
    keys = labels.astype(np.uint64) << np.uint64(64 - class_bits)
    keys |= words >> np.uint64(class_bits + index_bits) << np.uint64(index_bits)
    keys |= np.arange(len(labels), dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64((1 << index_bits) - 1)).astype(np.int64)
