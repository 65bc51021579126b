"""The open-set table as rows, and as CSV: numbers are numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Cell, Condition
from nlbench.reports.render.measured_tables import (
    COMPARISON,
    PLACE,
    SUMMARY,
    comparison,
    csv,
    place,
    summary,
)
from nlbench.reports.topics.open_set.compare import METRIC, Verdicts
from nlbench.reports.topics.open_set.find import METRICS, REJECTED, RULE, SCORES, Protocol

FAMILIES = ("baseline", "energy", "pairs", "noise", "whose")
COLUMNS = (
    *PLACE, "unknowns", "condition", "nominal_rate", "method", "score", "declared", "metric",
    *SUMMARY, "bold",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One method under one score in one condition.

    Attributes:
        method: label.
        score: name in the records.
        declared: whether this score speaks for the method.
        bold: whether its AUROC is the best or not distinguishable from it.
        cells: metric -> values in percent.
    """

    method: str
    score: str
    declared: bool
    bold: bool
    cells: Mapping[str, Cell]

    @property
    def title(self) -> str:
        """The score as tables call it."""
        return SCORES.get(self.score, self.score)


def rows(protocol: Protocol, found: Verdicts, condition: Condition) -> tuple[Row, ...]:
    """The rows of one condition, methods as declared; none where it has no run yet."""
    if not any(
        cell.summary.n for place, cell in protocol.cells.items() if place[1] == condition.line
    ):
        return ()
    bold = found.bold(protocol, condition.line)
    return tuple(
        Row(
            method=method,
            score=score,
            declared=score == protocol.declared(method),
            bold=score == protocol.declared(method) and protocol.label(method) in bold,
            cells=cells,
        )
        for method in protocol.methods
        for score in protocol.scores[method]
        if (cells := _cells(protocol, method, condition.line, score))
    )


def _cells(protocol: Protocol, method: str, line: str, score: str) -> dict[str, Cell]:
    metrics = REJECTED if score == RULE else METRICS
    found = {metric: protocol.cell(method, line, score, metric) for metric in metrics}
    return {metric: cell for metric, cell in found.items() if cell is not None}


def openset_csv(results: Results, found: Sequence[Verdicts]) -> str:
    """A row per protocol, condition, method, score and metric, in percent."""
    table = [
        {
            **_place(protocol),
            "condition": condition.line,
            "nominal_rate": condition.nominal,
            "method": row.method,
            "score": row.score,
            "declared": int(row.declared),
            "metric": metric,
            **summary(cell),
            "bold": int(row.bold) if metric == METRIC else None,
        }
        for protocol, verdicts in zip(results.open_sets, found, strict=True)
        for condition in protocol.conditions
        for row in rows(protocol, verdicts, condition)
        for metric, cell in row.cells.items()
    ]
    return csv(table, COLUMNS)


def comparisons_csv(results: Results, found: Sequence[Verdicts]) -> str:
    """A row per comparison of every family."""
    table = [
        {**_place(protocol), "question": question, **comparison(one)}
        for protocol, verdicts in zip(results.open_sets, found, strict=True)
        for question in FAMILIES
        for one in getattr(verdicts, question)
    ]
    return csv(table, (*PLACE, "unknowns", "question", *COMPARISON))


def _place(protocol: Protocol) -> dict[str, str]:
    return {**place(protocol.block), "unknowns": protocol.unknowns}
