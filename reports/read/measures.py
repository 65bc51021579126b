"""Cells of the measures that every record holds: benchmark/metrics, at the last epoch."""

from __future__ import annotations

from collections.abc import Mapping

from nlbench.benchmark.metrics import Metric
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.evaluations import Evaluations
from nlbench.reports.read.measured import measured
from nlbench.reports.read.packed_json import PackedJson

PART = "measures"


def measure_cells(
    block: Block, packed: Mapping[str, PackedJson], metric: Metric
) -> dict[tuple[str, str], Cell]:
    """(method, noise line) -> its runs' values, in hundredths, in table order.

    Without a run of the block that has the measure there are no cells: its records are older than
    the measure, or it is not informative with so few classes.

    Args:
        block: whose runs.
        packed: run id -> packed ``RunRecord.evaluations``.
        metric: which.
    """
    parts = Evaluations(block, packed, PART)
    cells = {
        (cell.method, cell.condition): measured(cell, cell.method, parts.column(cell, metric.name))
        for cell in block.declared()
    }
    return cells if any(cell.summary.n for cell in cells.values()) else {}
