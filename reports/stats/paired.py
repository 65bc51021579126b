"""Paired Student test of two methods over the same seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from nlbench.reports.stats.interval import mean_interval
from nlbench.reports.stats.signflip import sign_flip

Floats = NDArray[np.float64]

# Differences this close, relative to the values, are equal: accuracies are counts over test images.
_EQUAL = 1e-9


@dataclass(frozen=True)
class PairedTest:
    """Paired comparison a - b over n seeds; fields that n or the data do not allow are ``None``.

    Attributes:
        n: number of pairs.
        estimate: mean difference, in the unit of the values.
        sd: standard deviation of the differences (n - 1).
        low: lower bound of the 95 % Student interval of the mean difference.
        high: its upper bound.
        t: t statistic, df = n - 1.
        p: two-sided p.
        test: name of the test that gave p; ``identical`` (all differences 0), ``exact sign-flip``
            (all equal and not 0) or ``none`` (n < 2) where there is no spread to test against.
        d_z: estimate / sd.
        hedges: d_z times 1 - 3 / (4 (n - 1) - 1), the small-sample correction.
    """

    n: int
    estimate: float | None
    sd: float | None
    low: float | None
    high: float | None
    t: float | None
    p: float | None
    test: str
    d_z: float | None
    hedges: float | None


def paired_t(a: Floats, b: Floats, confidence: float = 0.95) -> PairedTest:
    """Two-sided paired t test of mean(a - b) = 0, with interval and effect size.

    Degenerate differences are not tested with a t of 0/0 or x/0: if all are 0, the two are the
    same (p = 1); if all are the same other value there is no spread to measure against, so p is
    the exact sign-flip one, whose smallest value is 2 / 2^n, and there is no interval.

    Args:
        a: (n,) finite values of one method, index = seed.
        b: (n,) finite values of the other, same seeds in the same order.
        confidence: of the interval.

    Raises:
        ValueError: unequal lengths.
    """
    if a.shape != b.shape:
        raise ValueError(f"paired values of shapes {a.shape} and {b.shape}")
    differences = a - b
    summary = mean_interval(differences, confidence)
    n, estimate, sd = summary.n, summary.mean, summary.sd
    if estimate is None or sd is None:
        return PairedTest(n, estimate, None, None, None, None, None, "none", None, None)
    if float(np.ptp(differences)) <= _EQUAL * max(1.0, float(np.max(np.abs([a, b])))):
        return _constant(differences)
    t = estimate / (sd / np.sqrt(n))
    d_z = estimate / sd
    return PairedTest(
        n=n,
        estimate=estimate,
        sd=sd,
        low=summary.low,
        high=summary.high,
        t=float(t),
        p=student_p(float(t), n),
        test="paired t",
        d_z=d_z,
        hedges=d_z * hedges_factor(n),
    )


def student_p(t: float, n: int) -> float:
    """Two-sided p of Student's t statistic of n differences."""
    return float(2 * stdtr(n - 1, -abs(t)))


def hedges_factor(n: int) -> float:
    """Return J = 1 - 3 / (4 df - 1) with df = n - 1 >= 1, the correction of d_z (n = 2: 0)."""
    return 1 - 3 / (4 * (n - 1) - 1)


def _constant(differences: Floats) -> PairedTest:
    value = float(np.median(differences))
    if abs(value) <= _EQUAL:
        n = len(differences)
        return PairedTest(n, 0.0, 0.0, None, None, None, 1.0, "identical", None, None)
    return PairedTest(
        n=len(differences),
        estimate=value,
        sd=0.0,
        low=None,
        high=None,
        t=None,
        p=sign_flip(differences),
        test="exact sign-flip",
        d_z=None,
        hedges=None,
    )
