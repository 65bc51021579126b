"""Who is best, and who cannot be told from the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import rankdata

from nlbench.reports.compare.verdict import Verdict
from nlbench.reports.read.cells import Block, Cell, Condition


@dataclass(frozen=True)
class Standing:
    """One cell's place in its condition; ``None`` where it takes no part.

    Attributes:
        paired: whether it is paired with every other cell of the condition that has values.
        rank: rank of the mean among the cells with values, 1 = best, ties averaged.
        group: tie group, 1 = the best and all that the tests do not distinguish from it; then the
            best of the rest opens group 2, and so on. Only whole, comparable cells have one.
    """

    paired: bool
    rank: float | None
    group: int | None

    @property
    def bold(self) -> bool:
        """Whether the cell is not distinguishable from the best."""
        return self.group == 1


def standings(
    block: Block, condition: Condition, verdicts: Sequence[Verdict]
) -> dict[str, Standing]:
    """Place every method of one condition.

    Args:
        block: the block.
        condition: one of its conditions.
        verdicts: the comparisons of this block and condition.
    """
    cells = [c for m in block.methods if (c := block.cells.get((m, condition.line))) is not None]
    valued = [cell for cell in cells if cell.summary.mean is not None]
    ranks = rankdata([-round(_mean(cell), 9) for cell in valued])
    rank = {cell.method: float(r) for cell, r in zip(valued, ranks, strict=True)}
    unpaired = {m for v in verdicts if "not paired" in v.words for m in (v.a, v.b)}
    groups = _groups(valued, verdicts)
    return {
        cell.method: Standing(
            paired=cell.method not in unpaired,
            rank=rank.get(cell.method),
            group=groups.get(cell.method),
        )
        for cell in cells
    }


def _groups(cells: Sequence[Cell], verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Greedy groups from the top; a cell that is not comparable with the leader stays out."""
    verdict = {frozenset((v.a, v.b)): v for v in verdicts}
    tested = {m for v in verdicts if v.comparable for m in (v.a, v.b)}
    rest = [cell for cell in cells if cell.method in tested and cell.complete and not cell.mixed]
    rest.sort(key=lambda cell: -_mean(cell))
    groups: dict[str, int] = {}
    number = 0
    while rest:
        leader, others = rest[0], rest[1:]
        number += 1
        groups[leader.method] = number
        rest = []
        for cell in others:
            found = verdict.get(frozenset((leader.method, cell.method)))
            if found is None or not found.comparable:
                continue
            if found.decided:
                rest.append(cell)
            else:
                groups[cell.method] = number
    return groups


def _mean(cell: Cell) -> float:
    return cell.summary.mean if cell.summary.mean is not None else float("-inf")
