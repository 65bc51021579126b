"""Exact counts: how many samples of each class flip, rounded and never truncated."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


def largest_remainder(sizes: Sequence[int] | NDArray[np.int64], rate: float) -> NDArray[np.int64]:
    """Split round(rate * sum(sizes)) over the classes by the largest-remainder (Hamilton) rule.

    Each class gets floor or ceil of rate * size, and the total is exact (halves round up).
    Equal remainders go to the larger class, then to the lower index. The rate is read as the
    decimal number it prints as and all arithmetic is on integers, so 0.29 of 100 is 29.
    """
    exact = Fraction(repr(float(rate)))
    top, bottom = exact.numerator, exact.denominator
    shares = [int(size) * top for size in sizes]
    floors = [share // bottom for share in shares]
    total = (2 * sum(shares) + bottom) // (2 * bottom)
    order = sorted(range(len(shares)), key=lambda c: (-(shares[c] % bottom), -int(sizes[c]), c))
    for index in order[: total - sum(floors)]:
        floors[index] += 1
    return np.array(floors, dtype=np.int64)
