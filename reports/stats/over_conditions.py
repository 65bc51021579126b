"""Summaries over conditions: interquartile mean, mean rank, and who wins how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats as scipy_stats
from scipy.special import ndtri, stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval, ``None`` where there is none."""

    value: float
    low: float | None
    high: float | None


def mean_rank(strata: Sequence[Floats]) -> list[float]:
    """Per method the mean over conditions of the rank of its mean, 1 = best, ties averaged.

    It has no interval: bootstrap ones miss the best method's rank in most reports, because
    resampled means differ where the true ones are equal.

    Args:
        strata: per condition an array (k methods, n seeds).
    """
    means = np.array([s.mean(axis=1).round(9) for s in strata])
    return [float(v) for v in scipy_stats.rankdata(-means, axis=1).mean(axis=0)]


def interquartile_mean(strata: Sequence[Floats]) -> list[float]:
    """Per method the mean of all runs without the highest and lowest quarter.

    It hides the hard conditions: print the worst one beside it.
    """
    runs = np.concatenate(strata, axis=-1)
    return [float(v) for v in np.atleast_1d(scipy_stats.trim_mean(runs, 0.25, axis=-1))]


def improvement(strata: Sequence[Floats], shared: bool) -> list[list[Estimate]]:
    """P(i > j) over paired seeds and conditions, ties half: entry [i][j].

    With Wilson's interval. Where conditions share their seeds, a seed that is lucky for i may be
    so in all conditions, so the runs count less than they are: Kish's effective size from the
    spread between seeds, with that spread's few degrees of freedom paid for by (z/t)^2 (Korn and
    Graubard 1998), never below the number of seeds nor above that of runs.

    Args:
        strata: per condition an array (k methods, n seeds).
        shared: whether seed s of every condition is the same one.
    """
    won = [(s[:, np.newaxis] > s) + 0.5 * (s[:, np.newaxis] == s) for s in strata]
    share = np.mean([w.mean(axis=-1) for w in won], axis=0)
    size = _effective(np.mean(won, axis=0), share, len(strata)) if shared else _size(strata, share)
    low, high = wilson(share, size)
    return [
        [
            Estimate(v, None if np.isnan(a) else float(a), None if np.isnan(b) else float(b))
            for v, a, b in zip(*rows, strict=True)
        ]
        for rows in zip(share.tolist(), low, high, strict=True)
    ]


def wilson(share: Floats, size: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Bounds of a proportion (Wilson 1927), which have a width at 0 and 1 too; NaN for size NaN.

    Args:
        share: in [0, 1].
        size: number of observations, need not be whole.
        confidence: of the interval, in (0, 1).
    """
    z = float(ndtri((1 + confidence) / 2))
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z / (1 + z * z / size) * np.sqrt(share * (1 - share) / size + (z / (2 * size)) ** 2)
    return middle - half, middle + half


def _size(strata: Sequence[Floats], share: Floats) -> Floats:
    """Runs of conditions with seeds of their own, as many as weigh the same together."""
    weights = sum(1 / s.shape[1] for s in strata)
    return np.full(share.shape, len(strata) ** 2 / weights)


def _effective(by_seed: Floats, share: Floats, conditions: int) -> Floats:
    """Effective number of runs, from (k, k, n) shares of each seed; NaN for one seed."""
    seeds = by_seed.shape[-1]
    if seeds < 2:
        return np.full(share.shape, np.nan)
    variance = by_seed.var(axis=-1, ddof=1) / seeds
    runs = float(seeds * conditions)
    # Seeds that all agree show no clustering.
    kish = np.divide(share * (1 - share), variance, np.full(share.shape, runs), where=variance > 0)
    paid = (float(ndtri(0.975)) / float(stdtrit(seeds - 1, 0.975))) ** 2
    return np.asarray(np.clip(kish * paid, seeds, runs), dtype=np.float64)
