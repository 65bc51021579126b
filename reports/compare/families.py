"""Which accuracies are compared: all pairs of methods, a family per block and noise type."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.engine import Pair, paired_comparisons
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.stats import PAIRED_T, SignificanceTest


def compare(
    blocks: Sequence[Block],
    baseline: Collection[str],
    rope: float = 0.5,
    test: SignificanceTest = PAIRED_T,
) -> tuple[Comparison, ...]:
    """Every pair of methods in every condition of every block.

    A family is all method pairs in one block and noise type, over its rates; its size is what was
    declared, not what has been run, so that it does not depend on the data. The later declared
    method is judged against the earlier one, and every method against the baseline.

    Args:
        blocks: cells to compare.
        baseline: labels of the methods that are always the second of a pair.
        rope: half width of the region of practical equivalence, points.
        test: what decides.
    """
    return tuple(
        comparison
        for block in blocks
        for noise_type in block.noise_types
        for comparison in paired_comparisons(
            [
                Pair(a, b, block=block.index, nominal=condition.nominal)
                for condition in block.family(noise_type)
                for a, b in _pairs(block, condition, baseline)
            ],
            family=f"{block.title}, {noise_type}",
            rope=rope,
            test=test,
        )
    )


def _pairs(
    block: Block, condition: Condition, baseline: Collection[str]
) -> Iterator[tuple[Cell, Cell]]:
    cells = [block.cells.get((method, condition.line)) for method in block.methods]
    there = [cell for cell in cells if cell is not None]
    # A stable sort: the baseline's variants first, the rest as declared.
    there.sort(key=lambda cell: cell.method not in baseline)
    for earlier, later in combinations(there, 2):
        yield later, earlier
