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


def largest_remainder_rows(
    matrix: NDArray[np.float64], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Split each ``sizes[i]`` over the columns in the shares of row i, by largest remainder.

    Rows of ``matrix`` sum to 1 (within 1e-6). Row sums of the result are exactly ``sizes``. Shares
    are rounded to 9 decimals first, so that 0.3 * 10 is 3; ties go to the lower column.
    """
    shares = np.round(matrix * (sizes / matrix.sum(axis=1))[:, None], 9)
    counts: NDArray[np.int64] = np.floor(shares).astype(np.int64)
    order = np.argsort(counts - shares, axis=1, kind="stable")
    missing = sizes - counts.sum(axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(matrix.shape[1])[None, :], axis=1)
    counts += rank < missing[:, None]
    return counts
