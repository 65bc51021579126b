"""How much the settings of a grid matter: spread, extremes, levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from nlbench.reports.compare.comparison import ALPHA, UNDECIDED, Comparison
from nlbench.reports.compare.engine import Pair, paired_comparisons
from nlbench.reports.compare.pairing import match
from nlbench.reports.read.cells import Cell
from nlbench.reports.stats import (
    PAIRED_T,
    Interval,
    PairedTest,
    SignificanceTest,
    holm,
    holm_known,
    mean_interval,
    paired_tests,
)
from nlbench.reports.topics.sweep.axes import Axis
from nlbench.reports.topics.sweep.find import Setting, Sweep

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """The settings that have every seed, taken together; accuracies in percent.

    Attributes:
        settings: how many are whole.
        seeds: per setting.
        best: place of the highest mean in ``sweep.settings`` (the first of equal ones).
        worst: place of the lowest.
        sd: standard deviation of the settings' means (n - 1).
        by_seed: summary over seeds of the standard deviation over the grid of one seed's runs.
        noise: standard deviation of a run about its setting's and its seed's mean, with
            (settings - 1)(seeds - 1) degrees of freedom; ``None`` with one seed.
        near: settings whose mean is at most ``rope`` points below the best.
        pooled: settings not significantly worse than the best by t tests that assume one spread for
            all settings (``noise``), Holm over the others; the best is counted. ``None`` without.
    """

    settings: int
    seeds: int
    best: int
    worst: int
    sd: float
    by_seed: Interval
    noise: float | None
    near: int
    pooled: int | None


@dataclass(frozen=True)
class Level:
    """One value of one hyper-parameter against the default's value of it.

    Attributes:
        axis: which.
        value: level.
        reference: the default's level.
        over: settings of the other axis that the difference is averaged over.
        mean: mean accuracy over all whole settings of the level, percent; ``None`` without.
        test: per seed averaged over the other axis, then paired over seeds.
        p_holm: over the levels of the axis.
        family: how many those are.
        reason: why there is no test, empty if there is one.
    """

    axis: Axis
    value: float
    reference: float
    over: int
    mean: float | None
    test: PairedTest | None
    p_holm: float | None
    family: int
    reason: str


@dataclass(frozen=True)
class Measured:
    """All comparisons of a sweep.

    Attributes:
        spread: ``None`` with less than two whole settings.
        against_default: every other setting against the default, one family.
        against_best: every other setting against the best, one family; empty without a best.
        beside: every method beside the grid against the default, one family.
        levels: rows, then columns, without the default's own.
        test: what decides in all of them.
    """

    spread: Spread | None
    against_default: tuple[Comparison, ...]
    against_best: tuple[Comparison, ...]
    beside: tuple[Comparison, ...]
    levels: tuple[Level, ...]
    test: SignificanceTest

    @property
    def undecided(self) -> int:
        """Settings not significantly different from the best by paired tests, itself counted."""
        return 1 + sum(v.words == UNDECIDED for v in self.against_best)


def measure(sweep: Sweep, rope: float, test: SignificanceTest = PAIRED_T) -> Measured:
    """Compute every comparison of a sweep.

    Args:
        sweep: the grid.
        rope: half width of the study's region of practical equivalence, points.
        test: what decides.
    """
    spread = _spread(sweep, rope)
    best = None if spread is None else sweep.settings[spread.best]

    def against(one: Setting, others: Sequence[Setting], word: str) -> tuple[Comparison, ...]:
        return _against(sweep, one, others, word, rope, test)

    return Measured(
        spread=spread,
        against_default=against(sweep.default, sweep.settings, "the default"),
        against_best=() if best is None else against(best, sweep.settings, "best"),
        beside=against(sweep.default, sweep.beside, "beside"),
        levels=(*_levels(sweep, 0, test), *_levels(sweep, 1, test)),
        test=test,
    )


def _against(
    sweep: Sweep,
    one: Setting,
    others: Sequence[Setting],
    word: str,
    rope: float,
    test: SignificanceTest,
) -> tuple[Comparison, ...]:
    block, condition = sweep.block.index, sweep.condition
    return paired_comparisons(
        [
            Pair(other.cell, one.cell, block=block, nominal=condition.nominal)
            for other in others
            if other is not one
        ],
        family=f"{sweep.title} on {condition.line}, against {word}",
        rope=rope,
        test=test,
    )


def _spread(sweep: Sweep, rope: float) -> Spread | None:
    seeds = sweep.default.cell.seeds
    whole = [
        at
        for at, setting in enumerate(sweep.settings)
        if setting.cell.complete and setting.cell.seeds == seeds
    ]
    if len(whole) < 2:
        return None
    values = np.array([sweep.settings[at].cell.values for at in whole])
    means = values.mean(axis=1)
    noise = residual_sd(values)
    best = int(np.argmax(means.round(9)))
    return Spread(
        settings=len(whole),
        seeds=len(seeds),
        best=whole[best],
        worst=whole[int(np.argmin(means.round(9)))],
        sd=float(means.std(ddof=1)),
        by_seed=mean_interval(values.std(axis=0, ddof=1)),
        noise=noise,
        near=int((means >= means[best] - rope - 1e-9).sum()),
        pooled=None if not noise else _pooled(values, best, noise),
    )


def residual_sd(values: Floats) -> float | None:
    """Residual of a two-way layout without interaction: settings (rows) and seeds (columns).

    Args:
        values: (settings, seeds), finite.

    Returns:
        The root of the residual mean square, ``None`` without a degree of freedom.
    """
    settings, seeds = values.shape
    freedom = (settings - 1) * (seeds - 1)
    if freedom == 0:
        return None
    rows, columns = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
    rest = values - rows - columns + values.mean()
    return float(np.sqrt((rest**2).sum() / freedom))


def _pooled(values: Floats, best: int, noise: float) -> int:
    """How many settings are not significantly worse given one pooled spread, the best counted."""
    settings, seeds = values.shape
    gaps = np.delete(values.mean(axis=1)[best] - values.mean(axis=1), best)
    t = gaps / (noise * np.sqrt(2 / seeds))
    p = 2 * stdtr((settings - 1) * (seeds - 1), -np.abs(t))
    return 1 + int((holm(p) >= ALPHA).sum())


def _levels(sweep: Sweep, axis: int, decider: SignificanceTest) -> tuple[Level, ...]:
    """The levels of one axis against the default's, corrected over the axis."""
    place = sweep.default.at
    reference = place[axis] if place else 0.0
    values = (sweep.row_levels, sweep.column_levels)[axis]
    found = [
        _level(sweep, axis, value, reference, decider) for value in values if value != reference
    ]
    adjusted = holm_known([None if level.test is None else level.test.p for level in found])
    return tuple(
        Level(
            axis=level.axis,
            value=level.value,
            reference=level.reference,
            over=level.over,
            mean=level.mean,
            test=level.test,
            p_holm=p,
            family=len(found),
            reason=level.reason,
        )
        for level, p in zip(found, adjusted, strict=True)
    )


def _level(
    sweep: Sweep, axis: int, value: float, reference: float, decider: SignificanceTest
) -> Level:
    cells: dict[float, dict[float, Cell]] = {value: {}, reference: {}}
    for setting in sweep.settings:
        if setting.at is not None and setting.at[axis] in cells:
            cells[setting.at[axis]][setting.at[1 - axis]] = setting.cell
    there, base = cells[value], cells[reference]
    pairings = [match(there[other], base[other]) for other in there if other in base]
    means = [c.summary.mean for c in there.values() if c.complete and c.summary.mean is not None]
    reason = ""
    if any(not p.paired for p in pairings):
        reason = "not paired"
    elif any(len(p.seeds) < p.expected for p in pairings):
        reason = "incomplete"
    elif not pairings or len({p.seeds for p in pairings}) > 1:
        reason = "no common settings or seeds"
    test = None
    if not reason:
        mine, theirs = (np.mean(values, axis=0) for values in
                        ([p.a for p in pairings], [p.b for p in pairings]))  # fmt: skip
        (test,) = paired_tests([(mine, theirs)], decider)
    return Level(
        axis=(sweep.rows, sweep.columns)[axis],
        value=value,
        reference=reference,
        over=len(pairings),
        mean=float(np.mean(means)) if means else None,
        test=test,
        p_holm=None,
        family=0,
        reason=reason,
    )
