"""The tables of detection and of failure signatures as rows, and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.render.measured_tables import (
    COMPARISON,
    PLACE,
    SUMMARY,
    comparison,
    csv,
    place,
    rounded,
    summary,
)
from nlbench.reports.topics.detection.compare import LOSS, MASS, METRIC, Verdicts
from nlbench.reports.topics.detection.failures import NAMES, Signature
from nlbench.reports.topics.detection.find import CRITERIA, METRICS, Detection

COLUMNS = (
    *PLACE, "condition", "nominal_rate", "method", "criterion", "declared", "metric", *SUMMARY,
    "bold",
)  # fmt: skip
SIGNATURE_COLUMNS = (
    *PLACE, "condition", "nominal_rate", "method", "n", "expected_n", "mass_mean", "mass_sd",
    "mass_flipped_mean", "mass_flipped_sd", "mass_auroc_mean", "baseline", "clean_diff",
    "clean_diff_ci_low", "clean_diff_ci_high", "collapsed_seeds", "silent_seeds",
    "blind_seeds", "lost_clean_accuracy", "signatures",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One criterion of one method in one condition.

    Attributes:
        method: label.
        criterion: name in the records.
        declared: whether it is compared with others.
        bold: whether its AUROC is the best or not distinguishable from it.
        cells: metric -> values in percent.
    """

    method: str
    criterion: str
    declared: bool
    bold: bool
    cells: Mapping[str, Cell]

    @property
    def title(self) -> str:
        """The criterion as tables call it."""
        return CRITERIA.get(self.criterion, self.criterion)


def rows(detection: Detection, found: Verdicts, condition: Condition) -> tuple[Row, ...]:
    """The rows of one condition, methods as declared."""
    bold = found.bold(detection, condition.line)
    return tuple(
        Row(method, criterion, criterion in (LOSS, MASS), area.method in bold, cells)
        for method in detection.methods
        for criterion in detection.criteria[method]
        if (area := detection.cell(method, condition.line, criterion)) is not None
        and (cells := _cells(detection, method, condition.line, criterion))
    )


def _cells(detection: Detection, method: str, line: str, criterion: str) -> dict[str, Cell]:
    found = {metric: detection.cell(method, line, criterion, metric) for metric in METRICS}
    return {metric: cell for metric, cell in found.items() if cell is not None}


def detection_csv(results: Results, found: Sequence[Verdicts]) -> str:
    """A row per condition, method, criterion and metric, in percent."""
    table = [
        {
            **place(detection.block),
            "condition": condition.line,
            "nominal_rate": condition.nominal,
            "method": row.method,
            "criterion": row.criterion,
            "declared": int(row.declared),
            "metric": metric,
            **summary(cell),
            "bold": int(row.bold) if metric == METRIC else None,
        }
        for detection, verdicts in zip(results.detections, found, strict=True)
        for condition in detection.conditions
        for row in rows(detection, verdicts, condition)
        for metric, cell in row.cells.items()
    ]
    return csv(table, COLUMNS)


def comparisons_csv(results: Results, found: Sequence[Verdicts]) -> str:
    """A row per comparison of drainage mass with small loss."""
    table = [
        {**place(detection.block), **comparison(one)}
        for detection, verdicts in zip(results.detections, found, strict=True)
        for one in verdicts.mass
    ]
    return csv(table, (*PLACE, *COMPARISON))


def signatures_csv(results: Results) -> str:
    """A row per drainage method and condition."""
    table = [_signature_row(results.blocks[s.block], s) for s in results.signatures]
    return csv(table, SIGNATURE_COLUMNS)


def _signature_row(block: Block, found: Signature) -> dict[str, Any]:
    lost = found.lost
    test = (None, None, None) if lost is None else (lost.estimate, lost.low, lost.high)
    values = {
        "mass_mean": found.mass.mean,
        "mass_sd": found.mass.sd,
        "mass_flipped_mean": found.mass_flipped.mean,
        "mass_flipped_sd": found.mass_flipped.sd,
        "mass_auroc_mean": found.auroc.mean,
        **dict(zip(("clean_diff", "clean_diff_ci_low", "clean_diff_ci_high"), test, strict=True)),
    }
    return {
        **place(block),
        "condition": found.condition.line,
        "nominal_rate": found.condition.nominal,
        "method": found.method,
        "n": found.mass.n,
        "expected_n": found.expected,
        "baseline": found.baseline,
        **{name: rounded(value) for name, value in values.items()},
        "collapsed_seeds": found.collapsed,
        "silent_seeds": found.silent,
        "blind_seeds": found.blind,
        "lost_clean_accuracy": int(found.lost_accuracy),
        "signatures": "; ".join(s for s in NAMES if s in found.found),
    }
