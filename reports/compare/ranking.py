"""Which method is best, and which are not significantly different from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import rankdata

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.ties import tie_groups
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
    block: Block, condition: Condition, comparisons: Sequence[Comparison]
) -> dict[str, Standing]:
    """Place every method of one condition.

    Args:
        block: the block.
        condition: one of its conditions.
        comparisons: those of this block and condition.
    """
    cells = [c for m in block.methods if (c := block.cells.get((m, condition.line))) is not None]
    valued = [cell for cell in cells if cell.summary.mean is not None]
    ranks = rankdata([-_mean(cell) for cell in valued])
    rank = {cell.method: float(r) for cell, r in zip(valued, ranks, strict=True)}
    unpaired = {m for c in comparisons if "not paired" in c.words for m in (c.a, c.b)}
    groups = groups_of(cells, comparisons)
    return {
        cell.method: Standing(
            paired=cell.method not in unpaired,
            rank=rank.get(cell.method),
            group=groups.get(cell.method),
        )
        for cell in cells
    }


def groups_of(
    cells: Sequence[Cell], comparisons: Sequence[Comparison], higher_is_better: bool = True
) -> dict[str, int]:
    """Tie groups of the whole, tested cells.

    Args:
        cells: of one condition.
        comparisons: of all their pairs in this condition.
        higher_is_better: direction of what they hold.
    """
    tested = {label for c in comparisons if c.comparable for label in (c.a, c.b)}
    whole = [cell for cell in cells if cell.method in tested and cell.complete]
    whole.sort(key=_mean, reverse=higher_is_better)
    decided = {frozenset((c.a, c.b)): c.decided for c in comparisons if c.comparable}
    return tie_groups([cell.method for cell in whole], decided)


def indistinct(
    cells: Sequence[Cell], comparisons: Sequence[Comparison], higher_is_better: bool = True
) -> frozenset[str]:
    """Labels of the best cell and of those that no comparison with it decides: the bold ones.

    Args:
        cells: of one condition.
        comparisons: of all their pairs in this condition.
        higher_is_better: direction of what they hold.
    """
    groups = groups_of(cells, comparisons, higher_is_better)
    return frozenset(m for m, group in groups.items() if group == 1)


def _mean(cell: Cell) -> float:
    """The mean by which cells are ordered; what differs by rounding only is equal."""
    return float("-inf") if cell.summary.mean is None else round(cell.summary.mean, 9)
