"""The accuracy table as rows and columns, before any markup."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from nlbench.reports.read.cells import Block, Condition

# A table of more methods has a row, not a column, for each of them.
MOST_COLUMNS = 6
INCOMPLETE, UNPAIRED, COLLAPSED = "incomplete", "unpaired", "collapsed"


@dataclass(frozen=True)
class GridCell:
    """One entry: the leaderboard's numbers, and what is to be marked.

    Attributes:
        mean: percent, ``None`` without a value.
        sd: percent, ``None`` below two seeds.
        bold: in the best set.
        marks: of INCOMPLETE, UNPAIRED, COLLAPSED.
        count: the note beside an incomplete cell, e.g. ``3/5``.
    """

    mean: float | None
    sd: float | None
    bold: bool
    marks: tuple[str, ...]
    count: str


@dataclass(frozen=True)
class GridRow:
    """One condition.

    Attributes:
        condition: names and rates.
        opens: whether it is the first of its noise type.
        cells: one per method, ``None`` where the study declares none.
    """

    condition: Condition
    opens: bool
    cells: tuple[GridCell | None, ...]


@dataclass(frozen=True)
class MethodRow:
    """One method of a table that has a row for each.

    Attributes:
        method: label.
        told: what it was told beyond the given labels; "": nothing.
        cells: one per condition, ``None`` where the study declares none.
        mean: mean of the cells, percent; ``None`` where one has no value.
        best: in the best set by the mean over the conditions.
    """

    method: str
    told: str
    cells: tuple[GridCell | None, ...]
    mean: float | None
    best: bool


def method_rows(
    block: Block, grid: Sequence[GridRow], best: Collection[str], told: Mapping[str, str]
) -> tuple[MethodRow, ...]:
    """A large table turned: methods by their mean over the conditions, those without one last.

    Args:
        block: the table's.
        grid: its conditions.
        best: the best set by the mean over the conditions.
        told: what methods were told, by label.
    """
    rows = []
    for at, method in enumerate(block.methods):
        cells = tuple(row.cells[at] for row in grid)
        means = [cell.mean for cell in cells if cell is not None and cell.mean is not None]
        mean = sum(means) / len(means) if means and len(means) == len(cells) else None
        best_one = method in best and mean is not None
        rows.append(MethodRow(method, told.get(method, ""), cells, mean, best_one))
    return tuple(sorted(rows, key=lambda r: (r.mean is None, -(r.mean or 0.0))))


def accuracy_grid(block: Block, leaderboard: pd.DataFrame) -> tuple[GridRow, ...]:
    """Arrange a block's leaderboard rows as conditions x methods."""
    rows = leaderboard[_of_block(block, leaderboard)]
    found = {
        (row["method"], row["condition"]): _cell(row) for row in rows.to_dict(orient="records")
    }
    return tuple(
        GridRow(
            condition=condition,
            opens=condition == block.family(condition.type)[0],
            cells=tuple(found.get((method, condition.line)) for method in block.methods),
        )
        for condition in block.conditions
    )


def marks_used(grid: Sequence[GridRow]) -> tuple[str, ...]:
    """The marks that occur, in a fixed order."""
    used = {mark for row in grid for cell in row.cells if cell for mark in cell.marks}
    return tuple(mark for mark in (INCOMPLETE, COLLAPSED, UNPAIRED) if mark in used)


def _of_block(block: Block, table: pd.DataFrame) -> pd.Series:
    key = block.key
    size = table["train_per_class"]
    same_size = size.isna() if key.train_per_class is None else size == key.train_per_class
    return (
        (table["scope"] == "condition")
        & (table["dataset"] == key.dataset)
        & same_size.fillna(False)
        & (table["holdout"] == key.holdout)
        & (table["model"] == key.model)
        & (table["profile"] == key.profile)
        & table["recipe"].isin({cell.recipe for cell in block.cells.values()})
    )


def _cell(row: dict[Any, Any]) -> GridCell:
    mean, sd = row["mean"], row["sd"]
    incomplete = row["n"] != row["expected_n"]
    marks = (
        *([INCOMPLETE] if incomplete else []),
        *([COLLAPSED] if row["collapsed"] else []),
        *([] if row["paired"] else [UNPAIRED]),
    )
    return GridCell(
        mean=None if pd.isna(mean) else float(mean),
        sd=None if pd.isna(sd) else float(sd),
        bold=bool(row["in_best_set"]),
        marks=marks,
        count=f"{row['n']}/{row['expected_n']}" if incomplete else "",
    )
