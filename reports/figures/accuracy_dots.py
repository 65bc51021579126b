"""Accuracy of many methods: a dot with its interval per method, a panel per condition."""

from __future__ import annotations

from matplotlib.figure import Figure

from nlbench.reports.compare.results import Results
from nlbench.reports.figures.dots import Dot, dots_figure
from nlbench.reports.read.cells import Block, few_rates
from nlbench.reports.read.names import pretty_condition

# Lines of more methods against the noise rate cannot be told apart.
MOST_LINES = 12
MOST_PANELS = 6


def accuracy_dots(results: Results, block: Block) -> Figure | None:
    """Mean accuracy with its 95 % Student interval, methods by their mean over the conditions.

    Small grey dots are the seeds; a filled marker is in the best set of the condition. Of many
    conditions the lowest, middle and highest rate of each noise type, the first six of them.
    """
    few = len(block.conditions) <= MOST_PANELS
    conditions = block.conditions if few else few_rates(block.conditions)[:MOST_PANELS]
    columns = {
        pretty_condition(condition.line): [
            Dot.of(method, method, cell, method in results.best(block, condition).members)
            for method in block.methods
            if (cell := block.cells.get((method, condition.line))) is not None and cell.summary.n
        ]
        for condition in conditions
    }
    rows = sorted(block.methods, key=lambda method: -_mean(block, method))
    return dots_figure(columns, rows, block.methods, "test accuracy (%)", line=None)


def _mean(block: Block, method: str) -> float:
    """Mean over the conditions in which the method has a value; 0 without one."""
    cells = [block.cells.get((method, c.line)) for c in block.conditions]
    means = [c.summary.mean for c in cells if c is not None and c.summary.mean is not None]
    return sum(means) / len(means) if means else 0.0
