"""Mean difference over fixed conditions, with seeds as the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from nlbench.reports.stats.signflip import smallest_p
from nlbench.reports.stats.significance import PAIRED_T, SignificanceTest, paired_tests

Floats = NDArray[np.float64]
SATTERTHWAITE = "t, Satterthwaite"


@dataclass(frozen=True)
class SeedMean:
    """A mean over conditions of paired differences; what the data do not allow is ``None``.

    Attributes:
        n: seeds; the fewest of a group where conditions have their own.
        estimate: the mean.
        low: lower bound of its 95 % t interval.
        high: upper bound.
        df: degrees of freedom of the interval.
        p: two-sided.
        test: name of the test that gave p, ``none`` without one.
    """

    n: int
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    df: float | None = None
    p: float | None = None
    test: str = "none"


@dataclass(frozen=True)
class Differences:
    """Paired differences in one condition.

    Attributes:
        seeds: ascending.
        values: (len(seeds),) a - b, points.
    """

    seeds: tuple[int, ...]
    values: Floats


def seed_mean(conditions: Sequence[Differences], test: SignificanceTest = PAIRED_T) -> SeedMean:
    """Test whether the mean over these conditions is 0 over new seeds.

    Conditions with seeds in common are averaged seed by seed, so their correlation is in the
    spread. Where some of them lack some of the seeds, or where there are several groups without
    seeds in common, it is a t test on fewer degrees of freedom, whatever test decides elsewhere.
    """
    if not conditions:
        return SeedMean(0)
    if all(one.seeds == conditions[0].seeds for one in conditions):
        values = np.mean([one.values for one in conditions], axis=0)
        return _one(np.asarray(values, dtype=np.float64), test)
    return _several([_part(group) for group in _linked(conditions)])


def _linked(conditions: Sequence[Differences]) -> list[list[Differences]]:
    """Groups of conditions that have seeds in common, also by way of others."""
    linked: list[list[Differences]] = []
    for one in conditions:
        met = [g for g in linked if any(set(one.seeds) & set(other.seeds) for other in g)]
        rest = [g for g in linked if not any(g is m for m in met)]
        linked = [*rest, [other for g in met for other in g] + [one]]
    return linked


@dataclass(frozen=True)
class _Part:
    """The mean of linked conditions; its variance is ``None`` where one has a single seed."""

    conditions: int
    n: int
    mean: float
    variance: float | None = None
    df: float = 0.0


def _part(group: Sequence[Differences]) -> _Part:
    """The mean of the conditions' own means, and how it varies over seeds.

    The residuals of a condition that has m of the n seeds are stretched by
    sqrt(n (n - 1) / (m (m - 1))), those that it lacks are 0: then the variance of the sum is
    unbiased where conditions are independent, and their correlation over seeds is in it. The
    degrees of freedom are the mean of m - 1. With all seeds everywhere it is the paired t test.
    """
    seeds = sorted({seed for one in group for seed in one.seeds})
    n, counts = len(seeds), [len(one.seeds) for one in group]
    mean = float(np.mean([one.values.mean() for one in group]))
    if min(counts) < 2:
        return _Part(len(group), min(counts), mean)
    residuals = np.zeros((len(group), n), dtype=np.float64)
    for row, one, m in zip(residuals, group, counts, strict=True):
        stretch = np.sqrt(n * (n - 1) / (m * (m - 1)))
        row[np.searchsorted(seeds, one.seeds)] = stretch * (one.values - one.values.mean())
    squares = float((residuals.mean(axis=0) ** 2).sum())
    return _Part(len(group), n, mean, squares / (n - 1) / n, float(np.mean(counts)) - 1)


def _one(values: Floats, test: SignificanceTest) -> SeedMean:
    n = len(values)
    (found,) = paired_tests([(values, np.zeros(n))], test)
    df = None if found.low is None else n - 1.0
    return SeedMean(n, found.estimate, found.low, found.high, df, found.p, found.test)


def _several(groups: Sequence[_Part]) -> SeedMean:
    n = min(group.n for group in groups)
    total = sum(group.conditions for group in groups)
    estimate = sum(group.conditions / total * group.mean for group in groups)
    known = [group.variance for group in groups if group.variance is not None]
    if len(known) < len(groups):
        return SeedMean(n, estimate)
    parts = [(g.conditions / total) ** 2 * v for g, v in zip(groups, known, strict=True)]
    variance = sum(parts)
    if variance <= (1e-9 * max(1.0, abs(estimate))) ** 2:
        # No spread to measure against: no p below that of a sign flip of the smallest group.
        return SeedMean(n, estimate, p=smallest_p(n) if abs(estimate) > 1e-9 else 1.0)
    df = variance**2 / sum(part**2 / g.df for part, g in zip(parts, groups, strict=True))
    error = float(np.sqrt(variance))
    half = float(stdtrit(df, 0.975)) * error
    p = float(2 * stdtr(df, -abs(estimate) / error))
    return SeedMean(n, estimate, estimate - half, estimate + half, float(df), p, SATTERTHWAITE)
