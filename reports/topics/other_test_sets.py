"""Further test sets: accuracy of the last epoch on images of another source than the main ones.

A data set may bring them (mini-WebVision is tested on ILSVRC-2012's validation images too). They
get a table of their own: the main tables and verdicts stay those of the data set's own test set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.evaluations import Evaluations
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.stats import mean_interval
from nlbench.reports.text import NONE, interval, number, rounded
from nlbench.reports.topics.columns import PLACE, csv, place
from nlbench.reports.topics.topic import Topic

FILE = "test-sets.md"
COLUMNS = (*PLACE, "condition", "test_set", "method", "seed", "accuracy")
NOTE = (
    "Accuracy in percent at the last epoch on test images of another source, mean ± standard "
    "deviation over seeds and 95 % Student interval. A diverged run counts with chance, 100/K."
)


@dataclass(frozen=True)
class OtherTestSet:
    """One method in one condition on one further test set.

    Attributes:
        block: of its runs.
        cell: the method's runs in the condition.
        test_set: name, as the record has it.
        values: (seeds,) accuracy in percent, NaN where there is none.
    """

    block: Block
    cell: Cell
    test_set: str
    values: NDArray[np.float64]


Found = tuple[OtherTestSet, ...]


def search(results: Results) -> Found:
    """All of them, block by block and condition by condition; empty for most studies."""
    found: list[OtherTestSet] = []
    for block in results.blocks:
        parts = Evaluations(block, results.frame.evaluations, "test_sets")
        for cell in block.declared():
            for name in sorted(parts.names(cell)):
                values = [
                    _value(accuracy, status, cell.num_classes)
                    for accuracy, status in zip(parts.column(cell, name), cell.status, strict=True)
                ]
                found.append(OtherTestSet(block, cell, name, np.array(values)))
    return tuple(found)


def _tables(results: Results, found: Found) -> dict[str, str]:
    del results
    rows = [
        {
            **place(one.block),
            "condition": one.cell.condition,
            "test_set": one.test_set,
            "method": one.cell.method,
            "seed": seed,
            "accuracy": rounded(accuracy),
        }
        for one in found
        for seed, accuracy in zip(one.cell.seeds, one.values.tolist(), strict=True)
    ]
    return {"test-sets.csv": csv(rows, COLUMNS)}


def _pages(results: Results, found: Found) -> dict[str, str]:
    title = f"# {escape(results.study.title)}: further test sets"
    return {FILE: "\n\n".join([title, NOTE, _table(found)]) + "\n"}


def _section(results: Results, found: Found, block: Block | None) -> Sequence[str]:
    del results
    return ["## Further test sets", _table(found), f"*{NOTE}*"] if block is None else []


def _table(found: Found) -> str:
    headers = ["data", "noise", "test set", "method", "n", "accuracy", "95 % interval"]
    rows = []
    for one in found:
        known = one.values[~np.isnan(one.values)]
        whole = mean_interval(known)
        seeds = f"{whole.n}" if whole.n == len(one.values) else f"{whole.n}/{len(one.values)}"
        row = [one.block.title, pretty_condition(one.cell.condition), one.test_set, one.cell.method]
        span = interval(whole.low, whole.high) or NONE
        cells = [*row, seeds, f"{number(whole.mean)} ± {number(whole.sd)}", span]
        rows.append([escape(cell) if k < len(row) else cell for k, cell in enumerate(cells)])
    return table(headers, rows, left=4)


def _value(accuracy: float, status: str, classes: int | None) -> float:
    if not np.isnan(accuracy):
        return 100 * accuracy
    return 100 / classes if status == "diverged" and classes else np.nan


TOPIC = Topic(
    name="other_test_sets",
    find=search,
    tables=_tables,
    pages=_pages,
    section=_section,
)
