"""Across conditions: is a method better on average, and would it be in other conditions?

The unit of the first question is a seed: the conditions are fixed. That of the second is a
condition.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.averaged import Place, averaged
from nlbench.reports.compare.comparison import (
    ALPHA,
    BETTER,
    DECLARED,
    EXPLORATORY,
    UNDECIDED,
    WORSE,
    Comparison,
)
from nlbench.reports.compare.gates import Gate, Spot, spot
from nlbench.reports.compare.pairing import match
from nlbench.reports.compare.ranking import Best
from nlbench.reports.compare.ties import tie_groups, tied_sets
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import (
    PAIRED_T,
    WILCOXON,
    Differences,
    Estimate,
    Friedman,
    Rope,
    SeedMean,
    SignedRank,
    SignificanceTest,
    best_set,
    friedman,
    holm_known,
    improvement,
    interquartile_mean,
    mean_rank,
    seed_mean,
    signed_rank,
    signed_rank_rope,
)
from nlbench.reports.text import interval, number, p_equals, plural

Floats = NDArray[np.float64]
FEWEST = 2
# Of a question that so few conditions cannot answer, whatever they show.
CANNOT = "cannot be decided"


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
class PairOverall:
    """Method a against method b over conditions.

    Attributes:
        a: label.
        b: label.
        higher: conditions in which a has the higher mean.
        ties: conditions with equal means.
        lower: conditions in which a has the lower mean.
        better: conditions in which the paired test over seeds decides for a after correction.
        worse: conditions in which it decides for b.
        difference: first question: mean difference over these conditions (unit: seed).
        p_holm: its p after the correction: over the whole report for a declared pair, over the
            other pairs of the profile for an exploratory one.
        role: ``declared`` or ``exploratory``.
        words: ``better``, ``worse`` or ``undecided``, for the first question.
        signed_rank: second question: Wilcoxon test on condition means (unit: condition).
        p_conditions: its p after Holm over all pairs, ``None`` below six conditions.
        general: ``better``, ``worse``, ``undecided`` or CANNOT, for the second question.
        improvement: P(a > b) over paired seeds, with its interval.
        rope: Bayesian signed-rank probabilities for the study's region of equivalence.
    """

    a: str
    b: str
    higher: int
    ties: int
    lower: int
    better: int
    worse: int
    difference: SeedMean
    p_holm: float | None
    role: str
    words: str
    signed_rank: SignedRank
    p_conditions: float | None
    general: str
    improvement: Estimate
    rope: Rope | None

    @property
    def conditions(self) -> int:
        """How many conditions are compared."""
        return self.higher + self.ties + self.lower

    def sentence(self) -> str:
        """The answer to the first question."""
        d = self.difference
        if d.estimate is None or d.p is None:
            return (
                f"{self.a} and {self.b} are not compared on average over these conditions: no two"
                " paired seeds."
            )
        counts = f"higher mean in {self.higher} of {plural(self.conditions, 'condition')}"
        facts = (
            f"p_Holm {p_equals(self.p_holm)}, {d.test} over {plural(d.n, 'seed')}, {self.role};"
            f" {counts}"
        )
        place = "on average over these conditions"
        verb = {BETTER: "beats", WORSE: "is worse than"}.get(self.words)
        if verb is None:
            bounds = interval(d.low, d.high, before=" ")
            gap = f"difference {number(d.estimate, sign=True)} points{bounds}"
            return f"{self.a} and {self.b} are not distinguishable {place}: {gap} ({facts})."
        low, high = (d.low, d.high) if d.estimate > 0 else (_minus(d.high), _minus(d.low))
        gap = f"{number(abs(d.estimate))} points{interval(low, high, before=' ')}"
        return f"{self.a} {verb} {self.b} {place} by {gap} ({facts})."

    def general_sentence(self, size: int) -> str:
        """The answer to the second question; ``size`` is the number of pairs in the family."""
        n, floor = self.signed_rank.n, self.signed_rank.floor
        if self.general == CANNOT:
            return (
                f"{self.a} against {self.b} cannot be decided with"
                f" {plural(self.conditions, 'condition')}: no p_Holm below"
                f" {min(1.0, size * floor):.3g} ({WILCOXON.name} over conditions, {n} that differ,"
                f" family of {size})."
            )
        facts = f"p_Holm {p_equals(self.p_conditions)}, {WILCOXON.name} over conditions, n = {n}"
        verb = {BETTER: "beats", WORSE: "is worse than"}.get(self.general)
        if verb is None:
            return f"{self.a} and {self.b} are not distinguishable ({facts}, family of {size})."
        return f"{self.a} {verb} {self.b} ({facts}, family of {size})."


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


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
            known = _Known(first, _decided(verdicts, whole), _unpaired(verdicts), test)
            found.append(_analyse(profile, methods, whole, left_out, known, baseline, rope))
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


@dataclass(frozen=True)
class _Known:
    """What the comparisons within conditions have shown.

    Attributes:
        first: pair -> the first gate of a pair declared over all conditions.
        decided: pair -> conditions decided for and against.
        unpaired: where cells must not be compared seed by seed.
        test: what decides over seeds.
    """

    first: Mapping[frozenset[str], Gate]
    decided: Mapping[tuple[str, str], tuple[int, int]]
    unpaired: frozenset[Spot]
    test: SignificanceTest


def _decided(
    verdicts: Sequence[Comparison], whole: Sequence[Whole]
) -> dict[tuple[str, str], tuple[int, int]]:
    places = {(block.index, condition.line) for block, condition, _ in whole}
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for v in verdicts:
        if (v.block, v.condition) in places:
            better, worse = counts.get((v.a, v.b), (0, 0))
            counts[v.a, v.b] = (better + (v.words == BETTER), worse + (v.words == WORSE))
    return counts


def _unpaired(verdicts: Sequence[Comparison]) -> frozenset[Spot]:
    return frozenset(spot(v) for v in verdicts if "not paired" in v.words)


def _analyse(
    profile: str,
    methods: list[str],
    whole: list[Whole],
    left_out: list[str],
    known: _Known,
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
        pairs=_pairs(methods, whole, scores, known, baseline, rope),
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


def _pairs(
    methods: list[str],
    whole: Sequence[Whole],
    scores: Floats,
    known: _Known,
    baseline: Collection[str],
    rope: float,
) -> tuple[PairOverall, ...]:
    order = sorted(range(len(methods)), key=lambda i: methods[i] not in baseline)
    places = [(later, earlier) for earlier, later in combinations(order, 2)]
    differences = [(scores[i] - scores[j]).round(9) for i, j in places]
    tests = [signed_rank(d) for d in differences]
    general = holm_known([test.p for test in tests])
    chances = improvement(
        [np.stack([cell.values for cell in cells]) for _, _, cells in whole],
        shared=len({cells[0].seeds for _, _, cells in whole}) == 1,
    )
    means = _means(methods, places, whole, known)
    pairs = []
    for (i, j), d, test, p, mean in zip(places, differences, tests, general, means, strict=True):
        better, worse = known.decided.get((methods[i], methods[j]), (0, 0))
        pairs.append(
            PairOverall(
                a=methods[i],
                b=methods[j],
                higher=int((d > 0).sum()),
                ties=int((d == 0).sum()),
                lower=int((d < 0).sum()),
                better=better,
                worse=worse,
                difference=mean.test,
                p_holm=mean.p_holm,
                role=mean.role,
                words=_words(mean.p_holm, mean.towards),
                signed_rank=test,
                p_conditions=p,
                general=CANNOT
                if p is None or len(places) * test.floor >= ALPHA
                else _words(p, float(d.mean())),
                improvement=chances[i][j],
                rope=signed_rank_rope(d, rope),
            )
        )
    return tuple(pairs)


def _words(p_holm: float | None, estimate: float | None) -> str:
    if p_holm is None or p_holm >= ALPHA or not estimate:
        return UNDECIDED
    return BETTER if estimate > 0 else WORSE


@dataclass(frozen=True)
class _Mean:
    """The mean difference of a pair over the fixed conditions, with its correction."""

    test: SeedMean
    p_holm: float | None
    role: str
    towards: int


def _means(
    methods: Sequence[str],
    places: Sequence[tuple[int, int]],
    whole: Sequence[Whole],
    known: _Known,
) -> list[_Mean]:
    """One per pair: the first gate of a declared one; Holm over all others of the profile."""
    gates = [known.first.get(frozenset((methods[i], methods[j]))) for i, j in places]
    others = [
        averaged(_places(i, j, whole, known.unpaired), known.test)
        for (i, j), gate in zip(places, gates, strict=True)
        if gate is None
    ]
    explored = iter(zip(others, holm_known([one.mean.p for one in others]), strict=True))
    means = []
    for gate in gates:
        if gate is None:
            found, p = next(explored)
            means.append(_Mean(found.mean, p, EXPLORATORY, found.towards))
        else:
            means.append(_Mean(gate.mean, gate.p_holm, DECLARED, gate.towards))
    return means


def _places(i: int, j: int, whole: Sequence[Whole], unpaired: Collection[Spot]) -> list[Place]:
    return [
        (match(cells[i], cells[j]), cells[i], cells[j])
        for block, condition, cells in whole
        if (block.index, condition.line, frozenset((cells[i].method, cells[j].method)))
        not in unpaired
    ]
