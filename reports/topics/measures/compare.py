"""Which method is better by which measure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations

from nlbench.benchmark.metrics import Metric
from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.engine import Pair, paired_comparisons
from nlbench.reports.compare.ranking import Best, best_of
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell, Condition


@dataclass(frozen=True)
class Measured:
    """One measure of the runs of one block.

    Attributes:
        block: whose runs.
        metric: which.
        cells: (method, noise line) -> values in hundredths.
        baseline: every method against the baseline, in every condition: for the sentences.
        pairs: all pairs of methods, in every condition: for bold print.
    """

    block: Block
    metric: Metric
    cells: Mapping[tuple[str, str], Cell]
    baseline: tuple[Comparison, ...]
    pairs: tuple[Comparison, ...]

    def in_condition(self, condition: Condition) -> list[Cell]:
        """The cells of one condition, methods as declared."""
        keys = [(method, condition.line) for method in self.block.methods]
        return [self.cells[key] for key in keys if key in self.cells]

    def best(self, condition: Condition) -> Best:
        """The best set of one condition."""
        found = [c for c in self.pairs if c.condition == condition.line]
        return best_of(self.in_condition(condition), found, self.metric.higher_is_better)


Found = tuple[Measured, ...]


def search(results: Results) -> Found:
    """Every measure that the study asks for, block by block, where records have it."""
    return tuple(
        _compared(results, block, metric, cells)
        for block in results.blocks
        for metric in results.study.metrics
        if (cells := results.measures[block.index, metric.name])
    )


def _compared(
    results: Results, block: Block, metric: Metric, cells: Mapping[tuple[str, str], Cell]
) -> Measured:
    pairs, title = _pairs(block, cells, results.baseline), f"{block.title}: {metric.title}"

    def compared(chosen: list[Pair], family: str) -> tuple[Comparison, ...]:
        return paired_comparisons(
            chosen,
            family=f"{title}, {family}",
            metric=metric.title,
            higher_is_better=metric.higher_is_better,
            test=results.test,
        )

    against = [
        p for p in pairs if p.b.method in results.baseline and p.a.method not in results.baseline
    ]
    return Measured(
        block,
        metric,
        cells,
        baseline=compared(against, "against the baseline"),
        pairs=compared(pairs, "all pairs"),
    )


def _pairs(
    block: Block, cells: Mapping[tuple[str, str], Cell], baseline: Collection[str]
) -> list[Pair]:
    """All pairs of each condition, the baseline always second."""
    order = sorted(block.methods, key=lambda method: method not in baseline)
    return [
        Pair(later, earlier)
        for condition in block.conditions
        for earlier, later in combinations(
            [cells[m, condition.line] for m in order if (m, condition.line) in cells], 2
        )
    ]
