"""detection.md, .csv, .tex, detection-comparisons.csv, signatures.md and .csv."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Cell, Condition
from nlbench.reports.read.measured import bounded, counted
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render import measured_latex as latex
from nlbench.reports.render.latex import escape as tex
from nlbench.reports.render.latex import label
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.stats import Interval
from nlbench.reports.text import NONE, number
from nlbench.reports.topics.detection.compare import Verdicts
from nlbench.reports.topics.detection.failures import Signature
from nlbench.reports.topics.detection.find import METRICS, Detection
from nlbench.reports.topics.detection.sentences import (
    caption,
    conclusions,
    no_gallery,
    signatures_caption,
)
from nlbench.reports.topics.detection.table import (
    Row,
    comparisons_csv,
    detection_csv,
    rows,
    signatures_csv,
)

FILE, SIGNATURES = "detection", "signatures"
SENTENCES = 60
HEADS = ("method", "criterion", "AUROC", "95 % interval", "average precision", "F1")
SIGNATURE_HEADS = (
    "labels", "method", "seeds", "mass", "of flipped", "AUROC of mass", "collapsed", "no effect",
    "blind", "clean accuracy − baseline", "found",
)  # fmt: skip


def absorption_texts(results: Results, only: str | None = None) -> dict[str, str]:
    """File name -> content; empty where no record holds detection.

    Args:
        results: of the study.
        only: part of the report that was asked for, one of ``reports.PARTS`` or ``None`` for all.
    """
    if not results.detections:
        return {}
    names, found = results.method_names, results.detection_verdicts
    texts = {}
    if only in (None, "leaderboard"):
        texts[f"{FILE}.csv"] = detection_csv(results, found)
        texts[f"{FILE}-comparisons.csv"] = comparisons_csv(results, found)
        texts[f"{SIGNATURES}.csv"] = signatures_csv(results)
    if only in (None, "tables"):
        texts[f"{FILE}.md"] = _markdown(results, found, names)
        texts[f"{FILE}.tex"] = _latex(results, found, names)
        texts[f"{SIGNATURES}.md"] = signatures_markdown(results)
    return texts


def _markdown(results: Results, found: Sequence[Verdicts], names: Mapping[str, str]) -> str:
    parts = [f"# {escape(results.study.title)}: detection of mislabelled samples"]
    for detection, verdict in zip(results.detections, found, strict=True):
        parts.append(f"## {escape(detection.block.title)}")
        for condition in detection.conditions:
            parts.append(f"### {escape(pretty_condition(condition.line))}")
            parts.append(_table(detection, verdict, condition))
        parts.append(f"*{escape(' '.join(caption(results, detection, verdict, names)))}*")
        parts.append("### In short")
        parts += _bullets([*conclusions(detection, verdict), *no_gallery(detection)])
        if verdict.mass:
            size = len(verdict.mass)
            parts.append(f"### Drainage mass against small loss (family of {size})")
            parts += _bullets([c.sentence() for c in verdict.mass])
    return "\n\n".join(parts) + "\n"


def _bullets(lines: Sequence[str]) -> list[str]:
    text = "\n".join(f"- {escape(line)}" for line in lines[:SENTENCES])
    rest = len(lines) - SENTENCES
    return [text, f"{rest} more: {FILE}-comparisons.csv."] if rest > 0 else [text]


def _table(detection: Detection, found: Verdicts, condition: Condition) -> str:
    body = []
    before = ""
    for row in rows(detection, found, condition):
        name = escape(row.method) if row.method != before else ""
        before = row.method
        values = [f"**{v}**" if row.bold else v for v in _auroc(row)]
        body.append([name, row.title, *values, *_others(row)])
    return table(HEADS, body, left=2)


def _auroc(row: Row) -> tuple[str, str]:
    ends = bounded(row.cells["auroc"].summary)
    span = NONE if ends is None else f"[{number(ends[0])}, {number(ends[1])}]"
    return _value(row.cells["auroc"]), span


def _others(row: Row) -> list[str]:
    return [_value(row.cells[metric]) for metric in list(METRICS)[1:]]


def _value(cell: Cell) -> str:
    there = counted(cell)
    text = _spread(cell.summary)
    return f"{text} ({there})" if there else text


def _spread(summary: Interval, digits: int = 2) -> str:
    if summary.mean is None:
        return NONE
    return f"{number(summary.mean, digits)} ± {number(summary.sd, digits)}"


def _latex(results: Results, found: Sequence[Verdicts], names: Mapping[str, str]) -> str:
    floats = ["% Made by nlbench report; needs \\usepackage{booktabs,textcomp} and T1 fonts."]
    for detection, verdict in zip(results.detections, found, strict=True):
        body: list[list[str]] = []
        for condition in detection.conditions:
            body += [[]] if body else []
            body += _tex_rows(detection, verdict, condition)
        words = " ".join(caption(results, detection, verdict, names))
        heads = ["labels", *HEADS]
        floats.append(latex.pages(words, label(results, FILE, detection.block), heads, 3, body))
    return "\n".join(floats)


def _tex_rows(detection: Detection, found: Verdicts, condition: Condition) -> list[list[str]]:
    lines: list[list[str]] = []
    before = ""
    for row in rows(detection, found, condition):
        name = tex(row.method) if row.method != before else ""
        before = row.method
        where = "" if lines else tex(pretty_condition(condition.line))
        values = [latex.cell(v, row.bold) for v in _auroc(row)]
        lines.append([where, name, tex(row.title), *values, *map(latex.cell, _others(row))])
    return lines


def signatures_markdown(results: Results) -> str:
    """Every drainage method and condition with its numbers and what was found."""
    parts = [f"# {escape(results.study.title)}: failure signatures of the drainage node"]
    shown = results.signatures
    if not shown:
        parts.append("No method of this study has a drainage node.")
        return "\n\n".join(parts) + "\n"
    blocks = [results.blocks[i] for i in dict.fromkeys(s.block for s in shown)]
    lines = results.signature_warnings
    found = "\n".join(f"- {escape(line)}." for line in lines)
    parts.append(
        found or "None was found: no collapse, no silent or blind node, no lost clean accuracy."
    )
    for block in blocks:
        body = [_signature_row(s) for s in shown if s.block == block.index]
        parts += [f"## {escape(block.title)}", table(SIGNATURE_HEADS, body, left=2)]
    parts.append(f"*{escape(' '.join(signatures_caption(results, blocks)))}*")
    return "\n\n".join(parts) + "\n"


def _signature_row(found: Signature) -> list[str]:
    noisy = found.auroc.n > 0
    seeds = (
        f"{found.mass.n}"
        if found.mass.n == found.expected
        else (f"{found.mass.n}/{found.expected}")
    )
    lost = found.lost
    difference = NONE
    if lost is not None and lost.estimate is not None:
        span = "" if lost.low is None else f" [{number(lost.low)}, {number(lost.high)}]"
        difference = f"{number(lost.estimate, sign=True)}{span}"
    return [
        escape(pretty_condition(found.condition.line)),
        escape(found.method),
        seeds,
        _spread(found.mass, 3),
        _spread(found.mass_flipped, 3),
        _spread(found.auroc, 3),
        str(found.collapsed),
        str(found.silent) if noisy else NONE,
        str(found.blind) if noisy else NONE,
        escape(difference),
        ", ".join(found.found) or "nothing",
    ]
