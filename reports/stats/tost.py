"""Equivalence of two methods over the same seeds: two one-sided tests (TOST)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]
# Differences this close, relative to the values, are equal: accuracies are counts over test images.
_EQUAL = 1e-9


@dataclass(frozen=True)
class Equivalence:
    """Whether the mean of paired differences a - b lies within (-bound, bound).

    Attributes:
        n: number of pairs.
        estimate: mean difference, in the unit of the values; ``None`` without a pair.
        low: lower bound of the 1 - 2 alpha Student interval of the mean difference (90 % for alpha
            0.05); it lies within the bounds exactly if p < alpha. ``None`` without a spread.
        high: its upper bound.
        p_lower: p of "the difference is at or below -bound".
        p_upper: p of "the difference is at or above +bound".
        p: the larger of the two, the p of "the two are not equivalent"; ``None`` for n < 2.
        test: ``TOST``, ``exact sign-flip`` (all differences equal), or ``none`` (n < 2).
        alpha: level.
    """

    n: int
    estimate: float | None
    low: float | None
    high: float | None
    p_lower: float | None
    p_upper: float | None
    p: float | None
    test: str
    alpha: float

    @property
    def equivalent(self) -> bool:
        """Whether equivalence has been shown; False is no evidence of a difference."""
        return self.p is not None and self.p < self.alpha


def tost(a: Floats, b: Floats, bound: float, alpha: float = 0.05) -> Equivalence:
    """Two one-sided paired t tests of |mean(a - b)| < bound, after Schuirmann (1987).

    Where all differences are the same number there is no spread to measure against; each side then
    has the exact one-sided sign-flip p of its shifted differences, 2^-n or 1.

    Args:
        a: (n,) finite values of one side, index = seed.
        b: (n,) finite values of the other, same seeds in the same order.
        bound: half width of the region of equivalence, > 0, in the unit of the values.
        alpha: level of each test, in (0, 0.5).

    Raises:
        ValueError: unequal lengths, or bound or alpha out of range.
    """
    if a.shape != b.shape:
        raise ValueError(f"paired values of shapes {a.shape} and {b.shape}")
    if not (bound > 0 and 0 < alpha < 0.5):
        raise ValueError(f"bound {bound} must be above 0 and alpha {alpha} in (0, 0.5)")
    differences = a - b
    n = len(differences)
    estimate = float(np.mean(differences)) if n else None
    if estimate is None or n < 2:
        return Equivalence(n, estimate, None, None, None, None, None, "none", alpha)
    if float(np.ptp(differences)) <= _EQUAL * max(1.0, float(np.max(np.abs([a, b])))):
        lower, upper = (2.0**-n if inside > 0 else 1.0 for inside in _room(estimate, bound))
        return Equivalence(
            n, estimate, None, None, lower, upper, max(lower, upper), "exact sign-flip", alpha
        )
    error = float(np.std(differences, ddof=1)) / math.sqrt(n)
    lower, upper = (float(stdtr(n - 1, -inside / error)) for inside in _room(estimate, bound))
    half = float(stdtrit(n - 1, 1 - alpha)) * error
    return Equivalence(
        n,
        estimate,
        estimate - half,
        estimate + half,
        lower,
        upper,
        max(lower, upper),
        "TOST",
        alpha,
    )


def _room(estimate: float, bound: float) -> tuple[float, float]:
    """How far the estimate is inside the lower and the upper bound."""
    return estimate + bound, bound - estimate
