"""Cells of other numbers than accuracy: the same runs, seeds and fingerprints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.read.cells import Cell
from nlbench.reports.stats import Interval

Floats = NDArray[np.float64]


def measured(cell: Cell, label: str, fractions: Floats) -> Cell:
    """The cell with another number of the same runs.

    Args:
        cell: of accuracies.
        label: what tables call the row.
        fractions: (n,) mostly in [0, 1], run by run, NaN without one.

    Returns:
        Values in percent, or hundredths. There is no chance level to collapse to, so no run counts
        as collapsed; a diverged run has no value, its cell is incomplete and not tested.
    """
    return replace(cell, method=label, values=100 * fractions, num_classes=None)


def counted(cell: Cell) -> str:
    """``3/5`` for a cell with 3 of 5 values, empty for a whole one."""
    return "" if cell.complete else f"{cell.summary.n}/{cell.expected}"


def bounded(
    summary: Interval, bounds: tuple[float, float] = (0.0, 100.0)
) -> tuple[float, float] | None:
    """The interval of a percentage, cut at 0 and 100 or others; ``None`` below two values."""
    if summary.low is None or summary.high is None:
        return None
    return max(summary.low, bounds[0]), min(summary.high, bounds[1])
