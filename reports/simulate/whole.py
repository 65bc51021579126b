"""One table through the whole path: rows, frame, cells, comparisons, gates, best sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.results import Results
from nlbench.reports.own_numbers.analysis import Wanted, analyse_table
from nlbench.reports.own_numbers.table import Run, Table
from nlbench.reports.simulate.draw import CLASSES

Floats = NDArray[np.float64]


def names(methods: int) -> tuple[str, ...]:
    """Labels of so many methods; the first is the baseline."""
    return tuple(f"m{at:02}" for at in range(methods))


def results_of(values: Floats, conditions: Sequence[str]) -> Results:
    """Analyse one table of accuracies as ``nlbench compare`` does.

    Args:
        values: (methods, conditions, seeds), percent.
        conditions: noise lines.
    """
    runs = tuple(
        Run(0, method, line, seed, float(values[i, j, seed]))
        for j, line in enumerate(conditions)
        for seed in range(values.shape[2])
        for i, method in enumerate(names(values.shape[0]))
    )
    table = Table("simulated", "simulated.csv", "0" * 64, runs, "percentages", ())
    return analyse_table(table, Wanted(num_classes=CLASSES))
