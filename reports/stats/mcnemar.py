"""McNemar's test: are two *trained models* different beyond this test set?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

Bits = NDArray[np.uint8]


Counts = NDArray[np.int64]


def discordant(a: Bits, b: Bits) -> tuple[Counts, Counts]:
    """Images that only the first and that only the second model got right.

    Args:
        a: packed bits of the first models, (..., bytes).
        b: packed bits of the second, same shape.
    """
    only_a = np.bitwise_count(a & ~b).sum(axis=-1, dtype=np.int64)
    only_b = np.bitwise_count(b & ~a).sum(axis=-1, dtype=np.int64)
    return np.asarray(only_a), np.asarray(only_b)


def mcnemar(only_a: Counts, only_b: Counts) -> NDArray[np.float64]:
    """Exact two-sided p of McNemar's test, 2 P(X <= min) with X ~ Binomial(only_a + only_b, 1/2).

    It speaks of these trained models and new test images, not of the methods and new seeds.

    Args:
        only_a: images that only the first model got right, any shape.
        only_b: images that only the second got right, same shape.
    """
    total = only_a + only_b
    p = 2 * bdtr(np.minimum(only_a, only_b).astype(np.float64), total, 0.5)
    return np.asarray(np.where(total == 0, 1.0, np.minimum(p, 1.0)), dtype=np.float64)
