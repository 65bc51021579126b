"""All pairs of methods over the conditions, tested."""

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
from nlbench.reports.compare.gate import Gate, Spot, spot
from nlbench.reports.compare.pair_overall import CANNOT, PairOverall
from nlbench.reports.compare.pairing import match
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.stats import (
    SeedMean,
    SignificanceTest,
    holm_known,
    improvement,
    signed_rank,
    signed_rank_rope,
)

Floats = NDArray[np.float64]
# A condition in which every method is whole: its block, and a cell of each method.
Whole = tuple[Block, Condition, list[Cell]]


@dataclass(frozen=True)
class Known:
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


def decided(
    verdicts: Sequence[Comparison], whole: Sequence[Whole]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Pair -> of these conditions, how many are decided for and against."""
    places = {(block.index, condition.line) for block, condition, _ in whole}
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for v in verdicts:
        if (v.block, v.condition) in places:
            better, worse = counts.get((v.a, v.b), (0, 0))
            counts[v.a, v.b] = (better + (v.words == BETTER), worse + (v.words == WORSE))
    return counts


def unpaired(verdicts: Sequence[Comparison]) -> frozenset[Spot]:
    """Where two methods' cells are not paired."""
    return frozenset(spot(v) for v in verdicts if "not paired" in v.words)


def pairs(
    methods: list[str],
    whole: Sequence[Whole],
    scores: Floats,
    known: Known,
    baseline: Collection[str],
    rope: float,
) -> tuple[PairOverall, ...]:
    """All pairs, baseline second.

    Args:
        methods: labels.
        whole: conditions in which all of them are whole.
        scores: (methods, conditions) mean accuracies, percent.
        known: what the comparisons within conditions have shown.
        baseline: labels that are second in a pair.
        rope: half width of the region of practical equivalence, points.
    """
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
    found = []
    for (i, j), d, test, p, mean in zip(places, differences, tests, general, means, strict=True):
        better, worse = known.decided.get((methods[i], methods[j]), (0, 0))
        found.append(
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
    return tuple(found)


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
    known: Known,
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
            one, p = next(explored)
            means.append(_Mean(one.mean, p, EXPLORATORY, one.towards))
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
