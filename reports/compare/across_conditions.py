"""Across conditions: is a method better on average, and would it be in other conditions?

The unit of the first question is a seed: the conditions are fixed. That of the second is a
condition.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from nlbench.reports.compare.comparison import UNDECIDED, Comparison
from nlbench.reports.compare.gate import Gate, Spot
from nlbench.reports.compare.pair_overall import PairOverall
from nlbench.reports.compare.pairs_across import Floats, Known, Whole, decided, pairs, unpaired
from nlbench.reports.compare.ranking import Best
from nlbench.reports.compare.ties import tie_groups, tied_sets
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import (
    PAIRED_T,
    Differences,
    Estimate,
    Friedman,
    SignificanceTest,
    best_set,
    friedman,
    interquartile_mean,
    mean_rank,
    seed_mean,
)

FEWEST = 2


@dataclass(frozen=True)
class MethodOverall:
    """One method over all whole conditions of a profile.

    Attributes:
        method: label.
        mean: mean over conditions of the mean over seeds, percent, with its t interval over seeds.
        iqm: interquartile mean of all runs, which leaves out the hardest quarter.
        worst: lowest condition mean, percent.
        worst_condition: where that is.
        mean_rank: mean rank over conditions, 1 = best.
    """

    method: str
    mean: Estimate
    iqm: float
    worst: float
    worst_condition: str
    mean_rank: float


@dataclass(frozen=True)
class Overall:
    """All methods over the conditions of one profile in which every one of them is whole.

    Attributes:
        profile: the profile, with the values of its recipe where a study has several.
        conditions: names of the conditions that count, with data set where there are several.
        left_out: conditions with an incomplete cell; ranks need complete blocks.
        methods: in the declared order.
        pairs: all pairs, baseline second.
        friedman: omnibus test, ``None`` where there is none.
        scores: (methods, conditions) mean accuracies, percent.
        runs: per condition (methods, seeds) accuracies.
        best: methods that nobody beats in the mean over the conditions, and the groups below;
            nothing where the conditions have no two seeds in common.
    """

    profile: str
    conditions: tuple[str, ...]
    left_out: tuple[str, ...]
    methods: tuple[MethodOverall, ...]
    pairs: tuple[PairOverall, ...]
    friedman: Friedman | None
    scores: Floats
    runs: tuple[Floats, ...]
    best: Best

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Sets of methods without a significant pair, for bars; they need not be contiguous."""
        return tied_sets(self._order, self._decided)

    @property
    def _order(self) -> list[str]:
        """Methods, best mean first."""
        return [m.method for m in sorted(self.methods, key=lambda m: -m.mean.value)]

    @property
    def _decided(self) -> dict[frozenset[str], bool]:
        return {frozenset((p.a, p.b)): p.words != UNDECIDED for p in self.pairs}


def overall(
    blocks: Sequence[Block],
    verdicts: Sequence[Comparison],
    gates: Sequence[Gate],
    baseline: Collection[str],
    rope: float,
    test: SignificanceTest = PAIRED_T,
) -> tuple[Overall, ...]:
    """One analysis per profile with at least two methods and two whole conditions.

    Args:
        blocks: all cells.
        verdicts: their comparisons, for win, tie and loss after correction.
        gates: the declared ones; the first gate of a pair is its answer to the first question.
        baseline: labels that are second in a pair.
        rope: half width of the region of practical equivalence, points.
        test: what decides over seeds.
    """
    found = []
    for profile in dict.fromkeys(block.key.regime for block in blocks):
        chosen = [block for block in blocks if block.key.regime == profile]
        methods = [m for m in chosen[0].methods if all(m in b.methods for b in chosen)]
        whole, left_out = _whole(chosen, methods)
        if len(methods) > 1 and len(whole) >= FEWEST:
            first = {
                frozenset((g.a, g.b)): g
                for g in gates
                if g.profile == profile and g.depth == 1 and not g.noise
            }
            known = Known(first, decided(verdicts, whole), unpaired(verdicts), test)
            found.append(_analyse(profile, methods, whole, left_out, known, baseline, rope))
    return tuple(found)


def _whole(blocks: Sequence[Block], methods: Sequence[str]) -> tuple[list[Whole], list[str]]:
    whole: list[Whole] = []
    left_out = []
    for block in blocks:
        for condition in block.conditions:
            cells = [block.cells.get((m, condition.line)) for m in methods]
            there = [c for c in cells if c is not None and c.complete]
            if len(there) == len(methods) and len({c.seeds for c in there}) == 1:
                whole.append((block, condition, there))
            else:
                left_out.append(_name(block, condition, len(blocks) > 1))
    return whole, left_out


def _name(block: Block, condition: Condition, several: bool) -> str:
    name = pretty_condition(condition.line)
    return f"{block.data_label}, {block.key.model}: {name}" if several else name


def _analyse(
    profile: str,
    methods: list[str],
    whole: list[Whole],
    left_out: list[str],
    known: Known,
    baseline: Collection[str],
    rope: float,
) -> Overall:
    several = len({block.index for block, _, _ in whole}) > 1 or bool(left_out)
    several = several and len({block.data_label for block, _, _ in whole}) > 1
    names = tuple(_name(block, condition, several) for block, condition, _ in whole)
    runs = tuple(np.stack([cell.values for cell in cells]) for _, _, cells in whole)
    scores = np.stack([r.mean(axis=1) for r in runs], axis=1)
    return Overall(
        profile=profile,
        conditions=names,
        left_out=tuple(left_out),
        methods=_methods(methods, names, whole, scores),
        pairs=pairs(methods, whole, scores, known, baseline, rope),
        friedman=friedman(scores.T),
        scores=scores,
        runs=runs,
        best=_best(methods, whole, known.unpaired),
    )


def _methods(
    methods: Sequence[str], names: Sequence[str], whole: Sequence[Whole], scores: Floats
) -> tuple[MethodOverall, ...]:
    runs = [np.stack([cell.values for cell in cells]) for _, _, cells in whole]
    iqms, ranks = interquartile_mean(runs), mean_rank(runs)
    return tuple(
        MethodOverall(
            method=method,
            mean=_mean([cells[i] for _, _, cells in whole]),
            iqm=iqms[i],
            worst=float(scores[i].min()),
            worst_condition=names[int(scores[i].argmin())],
            mean_rank=ranks[i],
        )
        for i, method in enumerate(methods)
    )


def _mean(cells: Sequence[Cell]) -> Estimate:
    """One method's mean over its cells with the t interval over seeds."""
    found = seed_mean([Differences(cell.seeds, cell.values) for cell in cells])
    return Estimate(float(np.mean([c.values.mean() for c in cells])), found.low, found.high)


def _best(methods: list[str], whole: Sequence[Whole], unpaired: Collection[Spot]) -> Best:
    """The best set by the mean over the conditions, seed by seed."""
    common = sorted(set.intersection(*(set(cells[0].seeds) for _, _, cells in whole)))
    if len(common) < FEWEST:
        return Best()
    table = np.mean(
        [
            [cell.values[np.searchsorted(cell.seeds, common)] for cell in cells]
            for _, _, cells in whole
        ],
        axis=0,
    )
    apart = {pair for _, _, pair in unpaired}
    comparable = np.array([[frozenset((a, b)) not in apart for b in methods] for a in methods])
    tests = best_set(table, comparable)
    beats = {(methods[i], methods[j]) for i, j in np.argwhere(tests.beats).tolist()}
    order = [methods[i] for i in np.argsort(-table.mean(axis=1).round(9), kind="stable")]
    return Best(tie_groups(order, beats), len(methods), tests)
