"""Mean, standard deviation and Student interval of one sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
# Values this close, relative to them, are equal: accuracies are counts over test images.
_EQUAL = 1e-9


@dataclass(frozen=True)
class Interval:
    """Summary of n replicates, in their unit; what n does not allow is ``None``.

    Attributes:
        n: replicates.
        mean: their mean, ``None`` for n = 0.
        sd: standard deviation with n - 1, ``None`` below n = 2 (one seed has no spread, not 0).
        low: lower bound of the Student interval; ``None`` below n = 2 and where all values are
            equal, which shows no spread to measure against, not that there is none.
        high: its upper bound.
    """

    n: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None


def mean_interval(values: Floats, confidence: float = 0.95) -> Interval:
    """Return mean +- t_{n-1, (1+c)/2} * sd / sqrt(n).

    At n = 3..30 its coverage is nominal for normal data, where a percentile or BCa bootstrap
    covers 75 to 93 % (facts: simulated), so it is the interval of every table here.

    Args:
        values: (n,) finite replicates, any unit; n may be 0.
        confidence: c, in (0, 1).
    """
    n = len(values)
    if n == 0:
        return Interval(0, None, None, None, None)
    mean = float(np.mean(values))
    if n == 1:
        return Interval(1, mean, None, None, None)
    sd = float(np.std(values, ddof=1))
    if sd <= _EQUAL * max(1.0, abs(mean)):
        return Interval(n, mean, sd, None, None)
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * sd / np.sqrt(n)
    return Interval(n, mean, sd, float(mean - half), float(mean + half))
