"""Rank statistics over conditions: signed ranks, Friedman, mean ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from nlbench.reports.stats.signflip import EXACT_UP_TO, sign_flip, smallest_p

Floats = NDArray[np.float64]
SMALLEST_N = 6


@dataclass(frozen=True)
class SignedRank:
    """Wilcoxon signed-rank test.

    Attributes:
        n: differences that are not 0.
        p: two-sided p, ``None`` below n = 6, where no p below .05 exists.
        floor: smallest p that n differences can give.
    """

    n: int
    p: float | None
    floor: float


def signed_rank(differences: Floats) -> SignedRank:
    """Wilcoxon signed-rank test, zeros left out, ties with average ranks.

    Exact up to n = 18 with ties too (all sign patterns of the ranks, so the switch of methods that
    SciPy makes at ties does not happen); above, SciPy's normal approximation.

    Args:
        differences: (m,) paired differences.
    """
    kept = differences[differences != 0]
    n = len(kept)
    floor = smallest_p(n) if n else 1.0
    if n < SMALLEST_N:
        return SignedRank(n, None, floor)
    return SignedRank(n, signed_rank_p(kept), floor)


def signed_rank_p(differences: Floats) -> float:
    """Two-sided p of :func:`signed_rank` for any n; 1 without a difference that is not 0."""
    kept = differences[differences != 0]
    if len(kept) == 0:
        return 1.0
    if len(kept) <= EXACT_UP_TO:
        return sign_flip(scipy_stats.rankdata(np.abs(kept)) * np.sign(kept))
    return float(scipy_stats.wilcoxon(kept, method="approx", correction=False).pvalue)


@dataclass(frozen=True)
class Friedman:
    """Are the methods' ranks the same over blocks? An omnibus, not a verdict on a pair.

    Attributes:
        blocks: N, number of complete conditions.
        methods: k.
        chi2: Friedman's statistic with tie correction.
        f: Iman and Davenport's F, ``inf`` if every block ranks alike.
        p: of F with (k - 1, (k - 1)(N - 1)) degrees of freedom, not below the exact probability
            (k!)^(1 - N) of perfect agreement.
    """

    blocks: int
    methods: int
    chi2: float
    f: float
    p: float


def mean_ranks(table: Floats) -> Floats:
    """Mean rank of each column of a (N, k) table, 1 = highest value, ties averaged."""
    return np.asarray(scipy_stats.rankdata(-table, axis=1).mean(axis=0), dtype=np.float64)


def friedman(table: Floats) -> Friedman | None:
    """Friedman test with Iman and Davenport's F = (N - 1) chi2 / (N (k - 1) - chi2).

    The chi-square p is off at the few conditions a study has, so only F has one.

    Args:
        table: (N, k) one value per condition and method, complete.

    Returns:
        The test, ``None`` below two conditions or three methods, or if all methods always tie.
    """
    blocks, methods = table.shape
    if blocks < 2 or methods < 3 or bool((np.ptp(table, axis=1) == 0).all()):
        return None
    chi2 = float(scipy_stats.friedmanchisquare(*table.T).statistic)
    rest = blocks * (methods - 1) - chi2
    f = (blocks - 1) * chi2 / rest if rest > 1e-9 else float("inf")
    # No arrangement of ranks is rarer than perfect agreement, whatever F is at small N.
    floor = float(math.factorial(methods)) ** (1 - blocks)
    p = max(floor, float(scipy_stats.f.sf(f, methods - 1, (methods - 1) * (blocks - 1))))
    return Friedman(blocks, methods, chi2, f, p)
