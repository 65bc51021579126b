"""Across conditions: is a method better in general? The unit is a condition, not a seed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.comparison import ALPHA, BETTER, UNDECIDED, WORSE, Comparison
from nlbench.reports.compare.ties import tie_groups, tied_sets
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import (
    WILCOXON,
    Estimate,
    Friedman,
    PairedTest,
    Rope,
    SignedRank,
    critical_difference,
    friedman,
    holm_known,
    improvement,
    interquartile_mean,
    mean_of_means,
    mean_rank,
    paired_t,
    signed_rank,
    signed_rank_rope,
)
from nlbench.reports.text import number, p_equals, plural

Floats = NDArray[np.float64]
FEWEST = 2


@dataclass(frozen=True)
class MethodOverall:
    """One method over all whole conditions of a profile.

    Attributes:
        method: label.
        mean: mean over conditions of the mean over seeds, percent, with bootstrap interval.
        iqm: interquartile mean of all runs, which leaves out the hardest quarter.
        worst: lowest condition mean, percent.
        worst_condition: where that is.
        mean_rank: mean rank over conditions, 1 = best, with bootstrap interval over seeds.
    """

    method: str
    mean: Estimate
    iqm: Estimate
    worst: float
    worst_condition: str
    mean_rank: Estimate


@dataclass(frozen=True)
class PairOverall:
    """Method a against method b over conditions.

    Attributes:
        a: label.
        b: label.
        higher: conditions in which a has the higher mean.
        ties: conditions with equal means.
        lower: conditions in which a has the lower mean.
        better: conditions in which the paired test over seeds decides for a after Holm.
        worse: conditions in which it decides for b.
        difference: mean difference over conditions with its t interval (unit: condition).
        signed_rank: Wilcoxon test on condition means.
        p_holm: its p after Holm over all pairs, ``None`` below six conditions.
        improvement: P(a > b) over paired seeds, with bootstrap interval.
        rope: Bayesian signed-rank probabilities for the study's region of equivalence.
        words: ``better``, ``worse`` or ``undecided``.
    """

    a: str
    b: str
    higher: int
    ties: int
    lower: int
    better: int
    worse: int
    difference: PairedTest
    signed_rank: SignedRank
    p_holm: float | None
    improvement: Estimate
    rope: Rope | None
    words: str

    def sentence(self, size: int) -> str:
        """One sentence that can be quoted; ``size`` is the number of pairs in the family."""
        n = self.higher + self.ties + self.lower
        gap = f"{number(self.difference.estimate, sign=True)} points on average"
        counts = f"higher mean in {self.higher} of {plural(n, 'condition')}"
        if self.p_holm is None:
            floor = f"{self.signed_rank.floor:.3g}"
            test = f"no test: {plural(n, 'condition')} cannot give p below {floor}"
        else:
            p = p_equals(self.p_holm)
            test = f"{WILCOXON.name} over conditions, p_Holm {p}, family of {size}"
            lowest = min(1.0, size * self.signed_rank.floor)
            if lowest >= ALPHA:
                test += f"; {plural(n, 'condition')} cannot give less than {lowest:.3f}"
        verb = {BETTER: "beats", WORSE: "is worse than"}.get(self.words)
        if verb is None:
            return (
                f"Over all conditions {self.a} and {self.b} are not distinguishable: {gap},"
                f" {counts} ({test})."
            )
        return f"Over all conditions {self.a} {verb} {self.b}: {gap}, {counts} ({test})."


@dataclass(frozen=True)
class Overall:
    """All methods over the conditions of one profile in which every one of them is whole.

    Attributes:
        profile: regularisation profile.
        conditions: names of the conditions that count, with data set where there are several.
        left_out: conditions with an incomplete cell; ranks need complete blocks.
        methods: in the declared order.
        pairs: all pairs, baseline second.
        friedman: omnibus test, ``None`` where there is none.
        critical_difference: Nemenyi's, for the picture only.
        scores: (methods, conditions) mean accuracies, percent.
        runs: per condition (methods, seeds) accuracies.
    """

    profile: str
    conditions: tuple[str, ...]
    left_out: tuple[str, ...]
    methods: tuple[MethodOverall, ...]
    pairs: tuple[PairOverall, ...]
    friedman: Friedman | None
    critical_difference: float
    scores: Floats
    runs: tuple[Floats, ...]

    @property
    def tie_groups(self) -> dict[str, int]:
        """Method -> 1 for those whom no pair test finds worse, 2 for those of the rest, ..."""
        better = {(p.a, p.b) for p in self.pairs if p.words == BETTER}
        worse = {(p.b, p.a) for p in self.pairs if p.words == WORSE}
        return tie_groups(self._order, better | worse)

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Sets of methods without a significant pair, for bars; they need not be contiguous."""
        return tied_sets(self._order, self._decided)

    @property
    def _order(self) -> list[str]:
        """Methods, best mean rank first."""
        return [m.method for m in sorted(self.methods, key=lambda m: m.mean_rank.value)]

    @property
    def _decided(self) -> dict[frozenset[str], bool]:
        return {frozenset((p.a, p.b)): p.words != UNDECIDED for p in self.pairs}


def overall(
    blocks: Sequence[Block],
    verdicts: Sequence[Comparison],
    baseline: Collection[str],
    rope: float,
) -> tuple[Overall, ...]:
    """One analysis per profile with at least two methods and two whole conditions.

    Conditions are no random sample, and the rates of one noise type are correlated: the p-values
    refer to these conditions, and captions state that.

    Args:
        blocks: all cells.
        verdicts: their comparisons, for win, tie and loss after correction.
        baseline: labels that are second in a pair.
        rope: half width of the region of practical equivalence, points.
    """
    found = []
    for profile in dict.fromkeys(block.key.profile for block in blocks):
        chosen = [block for block in blocks if block.key.profile == profile]
        methods = [m for m in chosen[0].methods if all(m in b.methods for b in chosen)]
        whole, left_out = _whole(chosen, methods)
        if len(methods) > 1 and len(whole) >= FEWEST:
            decided = _decided(verdicts, {(b.index, c.line) for b, c, _ in whole})
            found.append(_analyse(profile, methods, whole, left_out, decided, baseline, rope))
    return tuple(found)


Whole = tuple[Block, Condition, list[Cell]]


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


def _decided(
    verdicts: Sequence[Comparison], places: set[tuple[int, str]]
) -> dict[tuple[str, str], tuple[int, int]]:
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for v in verdicts:
        if (v.block, v.condition) in places:
            better, worse = counts.get((v.a, v.b), (0, 0))
            counts[v.a, v.b] = (better + (v.words == BETTER), worse + (v.words == WORSE))
    return counts


def _analyse(
    profile: str,
    methods: list[str],
    whole: list[Whole],
    left_out: list[str],
    decided: dict[tuple[str, str], tuple[int, int]],
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
        methods=_methods(methods, names, runs, scores),
        pairs=_pairs(methods, runs, scores, decided, baseline, rope),
        friedman=friedman(scores.T),
        critical_difference=critical_difference(len(methods), len(names)),
        scores=scores,
        runs=runs,
    )


def _methods(
    methods: Sequence[str], names: Sequence[str], runs: Sequence[Floats], scores: Floats
) -> tuple[MethodOverall, ...]:
    means, iqms, ranks = mean_of_means(runs), interquartile_mean(runs), mean_rank(runs)
    return tuple(
        MethodOverall(
            method=method,
            mean=means[i],
            iqm=iqms[i],
            worst=float(scores[i].min()),
            worst_condition=names[int(scores[i].argmin())],
            mean_rank=ranks[i],
        )
        for i, method in enumerate(methods)
    )


def _pairs(
    methods: list[str],
    runs: Sequence[Floats],
    scores: Floats,
    decided: dict[tuple[str, str], tuple[int, int]],
    baseline: Collection[str],
    rope: float,
) -> tuple[PairOverall, ...]:
    order = sorted(range(len(methods)), key=lambda i: methods[i] not in baseline)
    places = [(later, earlier) for earlier, later in combinations(order, 2)]
    differences = [(scores[i] - scores[j]).round(9) for i, j in places]
    tests = [signed_rank(d) for d in differences]
    adjusted = holm_known([test.p for test in tests])
    chances = improvement(runs)
    pairs = []
    for (i, j), d, test, p in zip(places, differences, tests, adjusted, strict=True):
        better, worse = decided.get((methods[i], methods[j]), (0, 0))
        low = p is not None and p < ALPHA
        pairs.append(
            PairOverall(
                a=methods[i],
                b=methods[j],
                higher=int((d > 0).sum()),
                ties=int((d == 0).sum()),
                lower=int((d < 0).sum()),
                better=better,
                worse=worse,
                difference=paired_t(scores[i], scores[j]),
                signed_rank=test,
                p_holm=p,
                improvement=chances[i][j],
                rope=signed_rank_rope(d, rope),
                words=(BETTER if d.mean() > 0 else WORSE) if low else UNDECIDED,
            )
        )
    return tuple(pairs)
