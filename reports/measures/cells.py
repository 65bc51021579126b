"""Cells of other numbers than accuracy: the same runs, seeds and fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from reports.cells import Block, Cell
from reports.extra import unpack
from reports.stats import Interval


def found_in(block: Block, extra: Mapping[str, bytes], part: str) -> dict[str, dict[str, Any]]:
    """Run id -> the named part of what its record holds beside accuracies, where it is there."""
    found = {}
    for cell in block.declared():
        for run_id in cell.run_ids:
            packed = extra.get(run_id)
            values = None if packed is None else unpack(packed).get(part)
            if values is not None:
                found[run_id] = values
    return found


def measured(cell: Cell, label: str, value: Callable[[str], float | None]) -> Cell:
    """The cell with another number of the same runs.

    Args:
        cell: of accuracies.
        label: what tables call the row.
        value: run id -> fraction in [0, 1], ``None`` without one.

    Returns:
        Values in percent. There is no chance level to collapse to, so no run counts as collapsed;
        a diverged run has no value, its cell is incomplete and not tested.
    """
    values = [value(run_id) for run_id in cell.run_ids]
    percent = np.array([np.nan if v is None else 100 * v for v in values], dtype=np.float64)
    return replace(cell, method=label, values=percent, num_classes=None)


def counted(cell: Cell) -> str:
    """``3/5`` for a cell with 3 of 5 values, empty for a whole one."""
    return "" if cell.complete else f"{cell.summary.n}/{cell.expected}"


def bounded(summary: Interval) -> tuple[float, float] | None:
    """The interval of a percentage, cut at 0 and 100; ``None`` below two values."""
    if summary.low is None or summary.high is None:
        return None
    return max(summary.low, 0.0), min(summary.high, 100.0)
