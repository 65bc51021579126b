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

    Conditions with seeds in common are averaged seed by seed over the common ones, so their
    correlation is in the spread. Where there are several such groups, their means are independent:
    t with Satterthwaite's degrees of freedom, whatever test decides elsewhere.
    """
    groups = _groups(conditions)
    if not groups:
        return SeedMean(0)
    if len(groups) == 1:
        return _one(groups[0][1], test)
    return _several(groups)


def _groups(conditions: Sequence[Differences]) -> list[tuple[int, Floats]]:
    """(number of conditions, mean per common seed) of each group of linked conditions."""
    if conditions and all(one.seeds == conditions[0].seeds for one in conditions):
        return [(len(conditions), _averaged(conditions))]
    linked: list[list[Differences]] = []
    for one in conditions:
        met = [g for g in linked if any(set(one.seeds) & set(other.seeds) for other in g)]
        rest = [g for g in linked if not any(g is m for m in met)]
        linked = [*rest, [other for g in met for other in g] + [one]]
    return [(len(group), _averaged(group)) for group in linked]


def _averaged(group: Sequence[Differences]) -> Floats:
    if all(one.seeds == group[0].seeds for one in group):
        return np.asarray(np.mean([one.values for one in group], axis=0), dtype=np.float64)
    common = sorted(set(group[0].seeds).intersection(*(one.seeds for one in group)))
    rows = [one.values[[one.seeds.index(seed) for seed in common]] for one in group]
    return np.asarray(np.mean(rows, axis=0), dtype=np.float64)


def _one(values: Floats, test: SignificanceTest) -> SeedMean:
    n = len(values)
    (found,) = paired_tests([(values, np.zeros(n))], test)
    df = None if found.low is None else n - 1.0
    return SeedMean(n, found.estimate, found.low, found.high, df, found.p, found.test)


def _several(groups: Sequence[tuple[int, Floats]]) -> SeedMean:
    n = min(len(values) for _, values in groups)
    total = sum(count for count, _ in groups)
    if n == 0:
        return SeedMean(0)
    estimate = sum(count / total * float(values.mean()) for count, values in groups)
    if n == 1:
        return SeedMean(1, estimate)
    parts = [(c / total) ** 2 * float(v.var(ddof=1)) / len(v) for c, v in groups]
    variance = sum(parts)
    if variance <= (1e-9 * max(1.0, abs(estimate))) ** 2:
        # No spread to measure against: no p below that of a sign flip of the smallest group.
        return SeedMean(n, estimate, p=smallest_p(n) if abs(estimate) > 1e-9 else 1.0)
    df = variance**2 / sum(
        part**2 / (len(values) - 1) for part, (_, values) in zip(parts, groups, strict=True)
    )
    error = float(np.sqrt(variance))
    half = float(stdtrit(df, 0.975)) * error
    p = float(2 * stdtr(df, -abs(estimate) / error))
    return SeedMean(n, estimate, estimate - half, estimate + half, float(df), p, SATTERTHWAITE)
