"""Which samples flip: exact counts or a coin for each sample; nested over rates either way."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.counts import largest_remainder
from nlbench.noise.errors import NoiseError
from nlbench.noise.registry import Option
from nlbench.noise.rng import Words, raw, unit
from nlbench.noise.task import Labels, Task

COUNT = Option(
    "count",
    "exact: exact total and exact share of every class (largest remainder); overall: exact total, "
    "classes by chance; bernoulli: one coin per sample",
    default="exact",
    choices=("exact", "overall", "bernoulli"),
)


def flipped_indices(task: Task, eligible: NDArray[np.bool_] | None = None) -> Labels:
    """Return the indices that flip, chosen on the clean labels among the eligible classes.

    exact: a random order within each class is drawn first and the first quota of it flips, the
    quotas by largest remainder of rate * class size with total round(rate * eligible samples).
    overall: the same with all eligible samples as one class. bernoulli: a sample flips if its
    uniform number is below the rate.
    For one seed the flips at rate r are among those at r' > r: always for overall and bernoulli,
    and for exact wherever the quotas do not fall, as for (r' - r) * class size >= 1.
    """
    words = raw(task.stream("flip"), len(task.labels))
    return _COUNTS[task.options["count"]](task, eligible, words)


def flipped_quotas(task: Task, quotas: Labels) -> Labels:
    """Return the first ``quotas[c]`` samples of each class c in the task's random order.

    The result is grouped by class and in that order.
    """
    words = raw(task.stream("flip"), len(task.labels))
    return _first_of_classes(task, quotas, words)


def _exact(task: Task, eligible: NDArray[np.bool_] | None, words: Words) -> Labels:
    sizes = task.sizes if eligible is None else task.sizes * eligible
    return _first_of_classes(task, largest_remainder(sizes, task.rate), words)


def _first_of_classes(task: Task, quotas: Labels, words: Words) -> Labels:
    order = shuffled_within_classes(task.labels, task.num_classes, words)
    ordered = task.labels[order]
    starts = np.cumsum(task.sizes) - task.sizes
    rank = np.arange(len(order)) - starts[ordered]
    chosen: Labels = order[rank < quotas[ordered]]
    return chosen


def _overall(task: Task, eligible: NDArray[np.bool_] | None, words: Words) -> Labels:
    outside = np.zeros_like(task.labels)
    if eligible is not None:
        outside = (~eligible[task.labels]).astype(np.int64)
    total = largest_remainder([int(np.count_nonzero(outside == 0))], task.rate)[0]
    return shuffled_within_classes(outside, 2, words)[:total]


def _bernoulli(task: Task, eligible: NDArray[np.bool_] | None, words: Words) -> Labels:
    hit = unit(words) < task.rate
    return np.flatnonzero(hit if eligible is None else hit & eligible[task.labels])


_COUNTS: dict[str, Callable[[Task, NDArray[np.bool_] | None, Words], Labels]] = {
    "exact": _exact,
    "overall": _overall,
    "bernoulli": _bernoulli,
}


def shuffled_within_classes(labels: Labels, num_classes: int, words: Words) -> Labels:
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
