"""Which accuracies are compared: declared comparisons gate by gate, all other pairs exploratory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from nlbench.benchmark.spec.hypothesis import Hypothesis
from nlbench.reports.compare.claims import claims
from nlbench.reports.compare.comparison import DECLARED, EXPLORATORY, Comparison
from nlbench.reports.compare.engine import Family, Pair, corrected, uncorrected, verdict
from nlbench.reports.compare.gate import CONDITION, Gate, Spot, spot
from nlbench.reports.compare.gates import gates
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.stats import PAIRED_T, SignificanceTest


@dataclass(frozen=True)
class Verdicts:
    """All comparisons of a report's accuracies.

    Attributes:
        comparisons: every pair of methods in every condition of every block.
        gates: the declared ones, from the mean over all conditions down to single conditions.
    """

    comparisons: tuple[Comparison, ...]
    gates: tuple[Gate, ...]


def compare(
    blocks: Sequence[Block],
    baseline: Collection[str],
    rope: float = 0.5,
    test: SignificanceTest = PAIRED_T,
    hypotheses: Sequence[Hypothesis] = (),
    names: Mapping[str, str] | None = None,
    planned_sd: float | None = None,
) -> Verdicts:
    """Every pair of methods in every condition of every block, and the gates of the declared ones.

    Declared are every method against the baseline and the hypotheses: they share one error rate
    over the whole report (compare/gates.py). The other pairs of a block are one exploratory
    family with a rate of its own. Both are as large as declared, not as what has been run. The
    later declared method is judged against the earlier one, and every method against the baseline.

    Args:
        blocks: cells to compare.
        baseline: labels of the methods that are always the second of a pair.
        rope: half width of the region of practical equivalence, points.
        test: what decides.
        hypotheses: declared beside the comparisons with the baseline.
        names: label -> name of the method.
        planned_sd: standard deviation of a paired difference assumed beforehand, points.
    """
    declared = claims(blocks, baseline, hypotheses, names)
    places = {
        (block.index, condition.line, frozenset((claim.a, claim.b)))
        for claim in declared
        for block, condition in claim.places
    }
    family = Family(DECLARED, max(len(declared), 1), rope=rope, test=test, planned_sd=planned_sd)
    found = [uncorrected(_block_pairs(block, baseline), family) for block in blocks]
    passed = gates(declared, [c for of_block in found for c in of_block], test)
    best = _best(passed)
    return Verdicts(
        tuple(
            comparison
            for block, of_block in zip(blocks, found, strict=True)
            for comparison in _with_verdicts(block, of_block, places, best)
        ),
        passed,
    )


def _with_verdicts(
    block: Block,
    comparisons: Sequence[Comparison],
    declared: Collection[Spot],
    best: Mapping[Spot, Gate],
) -> Iterator[Comparison]:
    """The comparisons of a block in their order, each with its verdict."""
    others = [c for c in comparisons if spot(c) not in declared]
    name = f"{block.title}, all other pairs"
    explored = iter(corrected(others, family=name, family_size=len(others), role=EXPLORATORY))
    for comparison in comparisons:
        if spot(comparison) not in declared:
            yield next(explored)
            continue
        gate = best[spot(comparison)]
        yield replace(
            comparison,
            p_holm=gate.p_holm,
            words=verdict(comparison, gate.p_holm),
            role=DECLARED,
            gate=gate.stands_at,
            closed_by=gate.closed_by,
        )


def _best(passed: Sequence[Gate]) -> dict[Spot, Gate]:
    """The gate of each single condition; of two claims about it that with the smaller p."""
    found: dict[Spot, Gate] = {}
    for gate in passed:
        if gate.level == CONDITION:
            (block, line), pair = gate.places[0], frozenset((gate.a, gate.b))
            known = found.get((block, line, pair))
            if known is None or (gate.p_holm or 1.0) < (known.p_holm or 1.0):
                found[block, line, pair] = gate
    return found


def _block_pairs(block: Block, baseline: Collection[str]) -> list[Pair]:
    """All pairs, condition by condition."""
    return [
        Pair(a, b, block=block.index, nominal=condition.nominal)
        for condition in block.conditions
        for a, b in _pairs(block, condition, baseline)
    ]


def _pairs(
    block: Block, condition: Condition, baseline: Collection[str]
) -> Iterator[tuple[Cell, Cell]]:
    cells = [block.cells.get((method, condition.line)) for method in block.methods]
    there = [cell for cell in cells if cell is not None]
    # A stable sort: the baseline's variants first, the rest as declared.
    there.sort(key=lambda cell: cell.method not in baseline)
    for earlier, later in combinations(there, 2):
        yield later, earlier
