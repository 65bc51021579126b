"""McNemar's test: are two *trained models* different beyond this test set?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

Bits = NDArray[np.uint8]


def discordant(a: Bits, b: Bits) -> tuple[int, int]:
    """Images that only the first and that only the second model got right, from packed bits."""
    only_a = int(np.bitwise_count(a & ~b).sum())
    only_b = int(np.bitwise_count(b & ~a).sum())
    return only_a, only_b


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p of McNemar's test, 2 P(X <= min) with X ~ Binomial(only_a + only_b, 1/2).

    It speaks of these two trained models and new test images, not of the methods and new seeds.

    Args:
        only_a: images that only the first model got right.
        only_b: images that only the second got right.
    """
    total = only_a + only_b
    if total == 0:
        return 1.0
    return float(min(1.0, 2 * bdtr(min(only_a, only_b), total, 0.5)))
