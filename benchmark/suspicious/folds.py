"""Folds: which part of the samples each network does not see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.streams import Streams

Labels = NDArray[np.int64]


def assign(labels: Labels, class_names: Sequence[str], folds: int, seed: int) -> Labels:
    """The fold of each sample, 0 to ``folds`` - 1, with every class spread evenly over them.

    Each class is shuffled and dealt out, where the one before it stopped: the folds differ by one
    sample at most, and so do the samples of a class in them.

    Raises:
        UserError: fewer than two folds, more folds than samples, or a class that would be absent
            from what a network is trained on.
    """
    if not 2 <= folds <= len(labels):
        raise UserError(f"folds = {folds} should be from 2 to the number of samples, {len(labels)}")
    counts = np.bincount(labels, minlength=len(class_names))
    if (counts < 2).any():
        rare = int(counts.argmin())
        raise UserError(
            f"class {class_names[rare]!r} has {counts[rare]} samples: at least 2 are needed, one to"
            " learn from and one to judge"
        )
    order = Streams(seed).generator("split", "folds").permutation(len(labels))
    dealt = order[np.argsort(labels[order], kind="stable")]
    found = np.empty(len(labels), dtype=np.int64)
    found[dealt] = np.arange(len(labels)) % folds
    return found
