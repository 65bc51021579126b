"""CSV columns of a measure: numbers are numbers, with the digits of the other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.digits import DECIMALS
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.measured import bounded
from nlbench.reports.render.files import to_csv

PLACE = ("data_label", "model", "profile")
SUMMARY = ("n", "expected_n", "mean", "sd", "ci_low", "ci_high")
# Fields of a Comparison that are no column here: what only a comparison of accuracies has.
HIDDEN = (
    "block", "noise_type", "nominal_rate", "t", "smallest_p", "d_z", "hedges", "rho", "rope",
    "seeds_needed", "at_chance",
)  # fmt: skip
COMPARISON = tuple(field.name for field in fields(Comparison) if field.name not in HIDDEN)
_WHOLE = ("n", "expected_n", "declared", "bold", "family_size")
_P_VALUES = ("p", "p_sign_flip", "p_holm")


def csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """The rows as CSV text; whole numbers stay whole where a column has gaps."""
    table = pd.DataFrame(rows, columns=list(columns))
    return to_csv(table.astype({name: "Int64" for name in _WHOLE if name in columns}))


def place(block: Block) -> dict[str, str]:
    """Where a row stands."""
    values = (block.data_label, block.key.model, block.key.profile)
    return dict(zip(PLACE, values, strict=True))


def summary(cell: Cell) -> dict[str, Any]:
    """SUMMARY of a cell's percentages."""
    found = cell.summary
    low, high = bounded(found) or (None, None)
    numbers = (found.mean, found.sd, low, high)
    return dict(zip(SUMMARY, (found.n, cell.expected, *map(rounded, numbers)), strict=True))


def comparison(found: Comparison) -> dict[str, Any]:
    """COMPARISON of a comparison, p-values with six significant digits."""
    return {
        name: float(f"{value:.6g}")
        if name in _P_VALUES and isinstance(value, float)
        else rounded(value)
        for name in COMPARISON
        for value in [getattr(found, name)]
    }


def rounded(value: Any) -> Any:
    """A number with the digits of every CSV file of the report; anything else as it is."""
    return round(value, DECIMALS) if isinstance(value, float) else value
