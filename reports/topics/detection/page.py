"""detection.md, .csv, .tex, detection-comparisons.csv, signatures.md and .csv."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render import latex
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.topics.columns import (
    COMPARISON,
    PLACE,
    SUMMARY,
    Row,
    comparison,
    csv,
    place,
)
from nlbench.reports.topics.detection import signatures
from nlbench.reports.topics.detection.compare import LOSS, MASS, METRIC, Found, Verdicts
from nlbench.reports.topics.detection.find import CRITERIA, METRICS, Detection
from nlbench.reports.topics.detection.sentences import caption, conclusions, no_gallery
from nlbench.reports.topics.parts import (
    first_bullets,
    latex_tables,
    openings,
    percent_interval,
    section,
    value,
)

FILE = "detection"
COMPARISONS = f"{FILE}-comparisons.csv"
FILES = (
    (f"{FILE}.csv", f"how every criterion finds flipped labels, [as a table]({FILE}.md)"),
    (COMPARISONS, "extra output against small loss"),
    (f"{FILE}.tex", "the detection table for a paper"),
    ("signatures.csv", "failure signatures of the extra output, [as a table](signatures.md)"),
)
COLUMNS = (
    *PLACE, "condition", "nominal_rate", "method", "criterion", "declared", "metric", *SUMMARY,
    "in_best_set",
)  # fmt: skip
HEADS = ("method", "criterion", "AUROC", "95 % interval", "average precision", "F1")


def tables(results: Results, found: Found) -> dict[str, str]:
    """A row per condition, method, criterion and metric in percent; comparisons; signatures."""
    criteria = [
        {
            **place(detection.block),
            "condition": condition.line,
            "nominal_rate": condition.nominal,
            **columns,
        }
        for detection, verdicts in found.blocks
        for condition in detection.conditions
        for row in rows(detection, verdicts, condition)
        for columns in row.columns("criterion", METRIC)
    ]
    comparisons = [
        {**place(detection.block), **comparison(one)}
        for detection, verdicts in found.blocks
        for one in verdicts.mass
    ]
    return {
        f"{FILE}.csv": csv(criteria, COLUMNS),
        COMPARISONS: csv(comparisons, (*PLACE, *COMPARISON)),
        "signatures.csv": signatures.signatures_csv(results, found),
    }


def pages(results: Results, found: Found) -> dict[str, str]:
    """The page, its tables for a paper, and the page of failure signatures."""
    return {
        f"{FILE}.md": _markdown(results, found),
        f"{FILE}.tex": _latex(results, found),
        "signatures.md": signatures.signatures_markdown(results, found),
    }


def index_section(results: Results, found: Found, block: Block | None) -> Sequence[str]:
    """The conclusions of one block for the index page."""
    del results
    parts: list[str] = []
    for detection, verdicts in found.blocks:
        if detection.block is block:
            lines = conclusions(detection, verdicts)
            parts += section("Detection of mislabelled samples", f"{FILE}.md", lines, level=3)
    return parts


def rows(detection: Detection, found: Verdicts, condition: Condition) -> tuple[Row, ...]:
    """The rows of one condition, methods as declared."""
    best = found.best(detection, condition.line).members
    return tuple(
        Row(
            method=method,
            score=criterion,
            title=CRITERIA.get(criterion, criterion),
            declared=criterion in (LOSS, MASS),
            best=area.method in best,
            cells=cells,
        )
        for method in detection.methods
        for criterion in detection.criteria[method]
        if (area := detection.cell(method, condition.line, criterion)) is not None
        and (cells := _cells(detection, method, condition.line, criterion))
    )


def _cells(detection: Detection, method: str, line: str, criterion: str) -> dict[str, Cell]:
    found = {metric: detection.cell(method, line, criterion, metric) for metric in METRICS}
    return {metric: cell for metric, cell in found.items() if cell is not None}


def _markdown(results: Results, found: Found) -> str:
    parts = [f"# {escape(results.study.title)}: detection of mislabelled samples"]
    for detection, verdicts in found.blocks:
        parts.append(f"## {escape(detection.block.title)}")
        for condition in detection.conditions:
            parts.append(f"### {escape(pretty_condition(condition.line))}")
            parts.append(_table(detection, verdicts, condition))
        parts.append(f"*{escape(' '.join(caption(results, detection, verdicts)))}*")
        parts.append("### In short")
        lines = [*conclusions(detection, verdicts), *no_gallery(detection)]
        parts += first_bullets(lines, COMPARISONS)
        if verdicts.mass:
            size = len(verdicts.mass)
            parts.append(f"### Extra output against small loss (family of {size})")
            parts += first_bullets([c.sentence() for c in verdicts.mass], COMPARISONS)
    return "\n\n".join(parts) + "\n"


def _table(detection: Detection, found: Verdicts, condition: Condition) -> str:
    there = rows(detection, found, condition)
    body = []
    for row, first in zip(there, openings(row.method for row in there), strict=True):
        areas = [f"**{words}**" if row.best else words for words in _auroc(row)]
        body.append([escape(row.method) if first else "", row.title, *areas, *_others(row)])
    return table(HEADS, body, left=2)


def _auroc(row: Row) -> tuple[str, str]:
    return value(row.cells[METRIC]), percent_interval(row.cells[METRIC])


def _others(row: Row) -> list[str]:
    return [value(row.cells[metric]) for metric in list(METRICS)[1:]]


def _latex(results: Results, found: Found) -> str:
    parts = (
        (
            detection.block,
            caption(results, detection, verdicts),
            [list(_tex_rows(detection, verdicts, c)) for c in detection.conditions],
        )
        for detection, verdicts in found.blocks
    )
    return latex_tables(results, FILE, ["labels", *HEADS], parts)


def _tex_rows(detection: Detection, found: Verdicts, condition: Condition) -> Iterator[list[str]]:
    there = rows(detection, found, condition)
    where = pretty_condition(condition.line)
    for row, first in zip(there, openings(row.method for row in there), strict=True):
        names = (where, row.method if first else "", row.title)
        areas = [latex.cell(words, row.best) for words in _auroc(row)]
        where = ""
        yield [*map(latex.escape, names), *areas, *map(latex.cell, _others(row))]
