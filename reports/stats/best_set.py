"""The best set of a condition: the methods that no other one is shown to be better than."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from nlbench.reports.stats.moderated import prior

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# From so many methods on the standard deviations of the pairs are moderated: with fewer pairs the
# distribution they share is too poorly known (the error of a family of three rises to 8 to 10 %).
MODERATED_FROM = 10
# Differences this close, relative to the values, are equal: accuracies are counts over test images.
_EQUAL = 1e-9


@dataclass(frozen=True)
class BestSet:
    """Who beats whom among k methods; arrays may have leading axes, one per table of a batch.

    Attributes:
        beats: (..., k, k), whether the method of the row beats that of the column.
        level: of each one-sided test, alpha / (k - 1).
        degrees: (..., k, k) degrees of freedom of the tests, NaN where there is none.
        moderated: whether the standard deviations are moderated.
    """

    beats: Bools
    level: float
    degrees: Floats
    moderated: bool

    @property
    def members(self) -> Bools:
        """(..., k), whether no method beats this one; each truly best is in with 1 - alpha."""
        return np.asarray(~self.beats.any(axis=-2))

    @property
    def thresholds(self) -> tuple[float, float] | None:
        """Smallest and largest critical value of t; ``None`` without a test."""
        known = self.degrees[~np.isnan(self.degrees)]
        if not known.size:
            return None
        low, high = (float(stdtrit(d, 1 - self.level)) for d in (known.max(), known.min()))
        return low, high


def best_set(
    values: Floats,
    comparable: Bools | None = None,
    methods: int | None = None,
    alpha: float = 0.05,
) -> BestSet:
    """Drop method i if some j beats it in a one-sided paired t test at alpha / (k - 1).

    A method that is truly the best meets k - 1 rivals, each of which is wrongly found better with
    probability alpha / (k - 1): it is in the set with probability 1 - alpha (Bonferroni; normal
    differences, whose spread may differ from pair to pair). This is selection of a subset that
    holds the best (Gupta 1965) with a test for each pair in place of a pooled variance, which
    methods of different spread do not have. The highest mean is always in.

    From :data:`MODERATED_FROM` methods on t is moderated (stats/moderated.py): d / (s~ / sqrt(n))
    on d0 + n - 1 degrees of freedom, at most the (k - 1)(n - 1) that all values together have.
    Without it, a pair without any spread has the exact one-sided sign-flip p, 2^-n or 1.

    Args:
        values: (..., k, n) of higher-is-better replicates, NaN where there is none; a pair is
            compared over the replicates that both have.
        comparable: (k, k) symmetric, which pairs may be compared; ``None`` for all.
        methods: k of the level, where more are declared than have values; ``None`` for those given.
        alpha: error of each truly best method.
    """
    k, n = values.shape[-2:]
    level = alpha / max(1, (methods or k) - 1)
    mean, variance, count = _pairs(values)
    allowed = ~np.eye(k, dtype=bool) & (True if comparable is None else comparable) & (count > 1)
    variance = np.where(allowed, variance, np.nan)
    degrees = np.where(allowed, count - 1, np.nan)
    moderated = k >= MODERATED_FROM
    if moderated:
        variance, degrees = _moderated(variance, degrees, most=(k - 1) * (n - 1))
    with np.errstate(all="ignore"):
        p = stdtr(degrees, -mean / np.sqrt(variance / count))
        p = np.where(variance == 0, np.where(mean > 0, 0.5**count, 1.0), p)
    return BestSet(allowed & (p < level), level, degrees, moderated)


def _moderated(variance: Floats, degrees: Floats, most: int) -> tuple[Floats, Floats]:
    """Both (..., k, k) moderated; as they are in a table whose pairs share no variance."""
    rows, columns = np.triu_indices(variance.shape[-1], 1)
    shared = prior(variance[..., rows, columns], degrees[..., rows, columns])
    known = ~np.isnan(shared.variance)[..., np.newaxis, np.newaxis]
    flat = (*variance.shape[:-2], -1)
    shrunk, total = shared.moderate(variance.reshape(flat), degrees.reshape(flat))
    return (
        np.where(known, shrunk.reshape(variance.shape), variance),
        np.where(known, np.minimum(total.reshape(degrees.shape), most), degrees),
    )


def _pairs(values: Floats) -> tuple[Floats, Floats, Floats]:
    """(..., k, k) mean and variance of row - column over common replicates, and their number."""
    differences = values[..., :, np.newaxis, :] - values[..., np.newaxis, :, :]
    there = ~np.isnan(differences)
    count = there.sum(axis=-1).astype(np.float64)
    filled = np.where(there, differences, 0.0)
    with np.errstate(all="ignore"):
        mean = filled.sum(axis=-1) / count
        squares = np.where(there, (differences - mean[..., np.newaxis]) ** 2, 0.0).sum(axis=-1)
        variance = squares / (count - 1)
    size = np.nanmax(np.abs(values), axis=(-2, -1), initial=1.0)[..., np.newaxis, np.newaxis]
    spread = np.where(there, np.abs(differences - mean[..., np.newaxis]), 0.0).max(axis=-1)
    return mean, np.where(spread <= _EQUAL * size, 0.0, variance), count
