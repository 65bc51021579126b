"""The declared tests of a report for many tables at once.

The same decisions as those of the whole path (table, frame, cells, comparisons, gates), which
:mod:`nlbench.reports.simulate.whole` takes; a test and ``nlbench bench verdicts`` compare both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtr, stdtrit

from nlbench.reports.compare.comparison import ALPHA
from nlbench.reports.read.names import noise_name
from nlbench.reports.stats import Tree, tree_holm

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_EQUAL = 1e-9


@dataclass(frozen=True)
class Tests:
    """Two-sided paired t tests with their 95 % intervals, one per leading index.

    Attributes:
        mean: estimate.
        half: half width of the interval; NaN where there is none.
        p: of no difference; NaN below two differences.
    """

    mean: Floats
    half: Floats
    p: Floats

    def held(self, truth: Floats | float) -> Floats:
        """1 where the interval holds the true value, 0 where not, NaN where there is none."""
        found = np.abs(self.mean - truth) <= self.half + _EQUAL
        return np.where(np.isnan(self.half), np.nan, found)


def paired(differences: Floats, size: float = 100.0) -> Tests:
    """Test the last axis.

    Args:
        differences: (..., n) of values, NaN for a pair that is left out.
        size: the largest of those values: what differs less than rounding is equal.
    """
    there = ~np.isnan(differences)
    n = there.sum(axis=-1)
    filled = np.where(there, differences, 0.0)
    with np.errstate(all="ignore"):
        mean = filled.sum(axis=-1) / n
        away = np.where(there, filled - mean[..., np.newaxis], 0.0)
        error = np.sqrt((away**2).sum(axis=-1) / (n - 1) / n)
        p = 2 * stdtr(n - 1, -np.abs(mean / error))
        half = stdtrit(n - 1, 0.975) * error
    equal = (n > 1) & (np.abs(away).max(axis=-1) <= _EQUAL * size)
    nothing = equal & (np.abs(mean) <= _EQUAL)
    p = np.where(nothing, 1.0, np.where(equal, 2.0 ** (1 - n), p))
    return Tests(mean, np.where(equal, np.nan, half), p)


def gates_of(conditions: Sequence[str]) -> list[tuple[int, ...]]:
    """The conditions that each gate of a claim averages, in preorder.

    All conditions, then each noise type followed by its rates.
    """
    types: dict[str, list[int]] = {}
    for at, line in enumerate(conditions):
        types.setdefault(noise_name(line).type, []).append(at)
    found = [tuple(range(len(conditions)))] if len(types) > 1 else []
    for members in types.values():
        found += [tuple(members)] if len(members) > 1 else []
        found += [(at,) for at in members]
    return found


def gate_tests(values: Floats, conditions: Sequence[str], limit: float = 0.0) -> Tests:
    """(tables, claims, gates): every method but the first against the first.

    Args:
        values: (tables, methods, conditions, seeds).
        conditions: noise lines.
        limit: accuracy at or below which a run has collapsed.
    """
    bad = np.asarray(values <= limit)
    if not bad.any():
        differences = values[:, 1:] - values[:, :1]
        means = [differences[:, :, list(part)].mean(axis=2) for part in gates_of(conditions)]
        return paired(np.stack(means, axis=2))
    found = [
        _with_collapse(values[:, :, list(part)], bad[:, :, list(part)])
        for part in gates_of(conditions)
    ]
    return Tests(
        np.stack([one.mean for one in found], axis=2),
        np.stack([one.half for one in found], axis=2),
        np.stack([one.p for one in found], axis=2),
    )


def _with_collapse(values: Floats, bad: Bools) -> Tests:
    """(tables, claims) the mean over these conditions where runs collapsed, and their rates."""
    mixed = np.asarray(bad.any(axis=-1) & ~bad.all(axis=-1))
    out = bad & mixed[..., np.newaxis]
    differences = np.where(out[:, 1:] | out[:, :1], np.nan, values[:, 1:] - values[:, :1])
    rest = _averaged(differences)
    some = (mixed[:, 1:] | mixed[:, :1]).any(axis=-1)
    more = (bad[:, 1:].astype(int) - bad[:, :1]).sum(axis=2)
    counts = np.stack([(more > 0).sum(axis=-1), (more < 0).sum(axis=-1)])
    total = counts.sum(axis=0)
    rates = np.minimum(1.0, 2 * bdtr(counts.min(axis=0), total, 0.5))
    rates = np.where(total > 0, rates, 1.0)
    alone = some & np.isnan(rest.p)
    able = some & (2.0 ** (1 - total) < ALPHA)
    both = np.minimum(1.0, 2 * np.fmin(rates, rest.p))
    return Tests(rest.mean, rest.half, np.where(alone, rates, np.where(able, both, rest.p)))


def _averaged(differences: Floats) -> Tests:
    """Mean over the conditions of (..., conditions, seeds) some of which lack some seeds."""
    if differences.shape[-2] == 1:
        return paired(differences[..., 0, :])
    n, m = differences.shape[-1], (~np.isnan(differences)).sum(axis=-1)
    used = m > 1
    with np.errstate(all="ignore"):
        means = np.where(used, np.nansum(differences, axis=-1) / m, np.nan)
        stretch = np.sqrt(n * (n - 1) / (m * (m - 1)))
        away = (differences - means[..., np.newaxis]) * stretch[..., np.newaxis]
        count = used.sum(axis=-1)
        mean = np.nansum(means, axis=-1) / count
        seeds = np.nansum(away, axis=-2) / count[..., np.newaxis]
        error = np.sqrt((seeds**2).sum(axis=-1) / (n - 1) / n)
        df = np.where(used, m - 1, 0).sum(axis=-1) / count
        p = 2 * stdtr(df, -np.abs(mean / error))
        half = stdtrit(df, 0.975) * error
    return Tests(mean, half, p)


def may_decide(p: Floats, alpha: float = ALPHA) -> Bools:
    """(tables,) whether a first gate is decided; where none is, nothing in the report is.

    Args:
        p: (tables, claims, gates).
        alpha: the rate of the whole report.
    """
    return np.asarray(p[:, :, 0].min(axis=1) * p.shape[1] < alpha)


def corrected(p: Floats, conditions: Sequence[str]) -> Floats:
    """(claims, gates) p of one table after the correction over the report."""
    below = _below(gates_of(conditions))
    return np.array(tree_holm([_tree(row, below) for row in p.tolist()]))


def _below(parts: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Of each gate those directly below it."""
    inside = [[i for i, part in enumerate(parts) if set(part) < set(whole)] for whole in parts]
    return [[i for i in mine if not any(i in inside[j] for j in mine)] for mine in inside]


def _tree(p: Sequence[float], below: Sequence[Sequence[int]], at: int = 0) -> Tree:
    """A claim's gates as they are under each other."""
    return Tree(p[at], tuple(_tree(p, below, i) for i in below[at]))
