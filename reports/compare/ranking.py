"""The best set of a condition, the tie groups below it, and ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from nlbench.reports.compare.comparison import BETTER, Comparison
from nlbench.reports.compare.ties import tie_groups
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.stats import BestSet, best_set

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """One cell's place in its condition; ``None`` where it takes no part.

    Attributes:
        paired: whether it is paired with every other cell of the condition that has values.
        rank: rank of the mean among the cells with values, 1 = best, ties averaged.
        group: tie group, 1 = the best set; then those whom nobody of the rest beats are group 2,
            and so on. Only whole cells that are compared with the best mean have one.
    """

    paired: bool
    rank: float | None
    group: int | None

    @property
    def best(self) -> bool:
        """Whether the cell is in the best set."""
        return self.group == 1


@dataclass(frozen=True)
class Best:
    """The best set of one condition with the tie groups below it.

    Attributes:
        groups: method -> tie group.
        methods: k of the level, declared methods.
        tests: what was tested; ``None`` where nothing could be.
    """

    groups: dict[str, int] = field(default_factory=dict)
    methods: int = 0
    tests: BestSet | None = None

    @property
    def members(self) -> frozenset[str]:
        """The best set."""
        return frozenset(m for m, group in self.groups.items() if group == 1)


def standings(
    block: Block, condition: Condition, comparisons: Sequence[Comparison], best: Best
) -> dict[str, Standing]:
    """Place every method of one condition.

    Args:
        block: the block.
        condition: one of its conditions.
        comparisons: those of this block and condition.
        best: the best set of the condition.
    """
    cells = cells_of(block, condition)
    valued = [cell for cell in cells if cell.summary.mean is not None]
    ranks = rankdata([-_mean(cell) for cell in valued])
    rank = {cell.method: float(r) for cell, r in zip(valued, ranks, strict=True)}
    unpaired = {m for c in comparisons if "not paired" in c.words for m in (c.a, c.b)}
    return {
        cell.method: Standing(
            paired=cell.method not in unpaired,
            rank=rank.get(cell.method),
            group=best.groups.get(cell.method),
        )
        for cell in cells
    }


def cells_of(block: Block, condition: Condition) -> list[Cell]:
    """The declared cells of one condition, methods in table order."""
    return [c for m in block.methods if (c := block.cells.get((m, condition.line))) is not None]


def best_of(
    cells: Sequence[Cell], comparisons: Sequence[Comparison], higher_is_better: bool = True
) -> Best:
    """The best set of a condition: whole cells that no other one beats (stats/best_set.py).

    Where a method has collapsed runs, the verdict on its pairs counts too: it is about their rate.

    Args:
        cells: all declared ones of the condition, by which the level is corrected.
        comparisons: of all their pairs in this condition: which may be compared.
        higher_is_better: direction of what they hold.
    """
    allowed = {frozenset((c.a, c.b)) for c in comparisons if c.comparable}
    tested = {label for pair in allowed for label in pair}
    whole = [cell for cell in cells if cell.method in tested and cell.complete]
    whole.sort(key=_mean, reverse=higher_is_better)
    # Of cells that cannot be compared with the best mean nothing is known.
    whole = [cell for cell in whole if cell is whole[0] or _pair(cell, whole[0]) in allowed]
    if not whole:
        return Best(methods=len(cells))
    values = _table(whole) if higher_is_better else -_table(whole)
    comparable = np.array([[_pair(a, b) in allowed for b in whole] for a in whole])
    tests = best_set(values, comparable, methods=len(cells))
    labels = [cell.method for cell in whole]
    beats = {(labels[i], labels[j]) for i, j in np.argwhere(tests.beats).tolist()}
    by_rates = {
        (c.a, c.b) if c.words == BETTER else (c.b, c.a)
        for c in comparisons
        if c.decided and c.outcomes is not None
    }
    # The other runs of a method that sometimes collapses beat nobody with a better mean of all.
    place = {label: at for at, label in enumerate(labels)}
    known = {
        (a, b) for a, b in beats | by_rates if a in place and b in place and place[a] < place[b]
    }
    return Best(tie_groups(labels, known), len(cells), tests)


def _pair(a: Cell, b: Cell) -> frozenset[str]:
    return frozenset((a.method, b.method))


def _table(cells: Sequence[Cell]) -> Floats:
    """(cells, seeds) values, NaN where a cell has none to compare."""
    seeds = sorted({seed for cell in cells for seed in cell.seeds})
    table = np.full((len(cells), len(seeds)), np.nan)
    for row, cell in zip(table, cells, strict=True):
        # As pairs are compared: of a method that sometimes collapses, the other runs.
        kept = np.where(cell.collapsed, np.nan, cell.values) if cell.mixed else cell.values
        row[np.searchsorted(seeds, cell.seeds)] = kept
    return table


def _mean(cell: Cell) -> float:
    """The mean by which cells are ordered; what differs by rounding only is equal."""
    return float("-inf") if cell.summary.mean is None else round(cell.summary.mean, 9)
