"""CSV columns that topics share: numbers are numbers, with the digits of the other files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.measured import bounded
from nlbench.reports.render.files import to_csv
from nlbench.reports.text import rounded, significant

PLACE = ("data_label", "model", "profile", "recipe", "noise_drawn")
SUMMARY = ("n", "expected_n", "mean", "sd", "ci_low", "ci_high")
# Fields of a Comparison that are no column here: what only a comparison of accuracies has.
HIDDEN = (
    "block", "noise_type", "nominal_rate", "t", "smallest_p", "d_z", "hedges", "rho", "rope",
    "seeds_needed", "at_chance", "outcomes",
    "mde", "towards", "role", "gate", "closed_by",
)  # fmt: skip
COMPARISON = tuple(field.name for field in fields(Comparison) if field.name not in HIDDEN)
_WHOLE = ("n", "expected_n", "declared", "in_best_set", "family_size")
_P_VALUES = ("p", "p_sign_flip", "p_holm")


@dataclass(frozen=True)
class Row:
    """One method under one of its scores in one condition.

    Attributes:
        method: label.
        score: name in the records.
        title: the score as tables call it.
        declared: whether this score is the one that is compared.
        best: whether its first metric is in the best set.
        cells: metric -> values in percent.
    """

    method: str
    score: str
    title: str
    declared: bool
    best: bool
    cells: Mapping[str, Cell]

    def columns(self, score: str, main: str) -> Iterator[dict[str, Any]]:
        """CSV columns, a row per metric.

        Args:
            score: name of the score's column.
            main: the metric that ``best`` is about.
        """
        for metric, cell in self.cells.items():
            yield {
                "method": self.method,
                score: self.score,
                "declared": int(self.declared),
                "metric": metric,
                **summary(cell),
                "in_best_set": int(self.best) if metric == main else None,
            }


def csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """The rows as CSV text; whole numbers stay whole where a column has gaps."""
    table = pd.DataFrame(rows, columns=list(columns))
    return to_csv(table.astype({name: "Int64" for name in _WHOLE if name in columns}))


def place(block: Block) -> dict[str, str]:
    """PLACE of a block."""
    key = block.key
    values = (block.data_label, key.model, key.profile, block.recipe, block.noise_drawn)
    return dict(zip(PLACE, values, strict=True))


def summary(cell: Cell, bounds: tuple[float, float] = (0.0, 100.0)) -> dict[str, Any]:
    """SUMMARY of a cell's percentages, the interval cut at 0 and 100 (or other bounds)."""
    found = cell.summary
    numbers = (found.mean, found.sd, *(bounded(found, bounds) or (None, None)))
    return dict(zip(SUMMARY, (found.n, cell.expected, *map(rounded, numbers)), strict=True))


def comparison(found: Comparison) -> dict[str, Any]:
    """COMPARISON of a comparison, p-values with six significant digits."""
    columns = {}
    for name in COMPARISON:
        value = getattr(found, name)
        if isinstance(value, float):
            value = significant(value) if name in _P_VALUES else rounded(value)
        columns[name] = value
    return columns


def difference(verdict: Comparison | None) -> dict[str, Any]:
    """Columns of one comparison of accuracies among others, empty without one."""
    if verdict is None:
        return {}
    return {
        "diff": rounded(verdict.estimate),
        "diff_ci_low": rounded(verdict.ci_low),
        "diff_ci_high": rounded(verdict.ci_high),
        "diff_p": significant(verdict.p),
        "diff_p_holm": significant(verdict.p_holm),
    }
