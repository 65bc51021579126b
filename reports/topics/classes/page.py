"""classes.md, classes.csv, classes-trend.csv."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from nlbench.reports.compare.comparison import ALPHA
from nlbench.reports.compare.results import Results
from nlbench.reports.leaderboard import settled
from nlbench.reports.read.cells import Block
from nlbench.reports.read.measured import counted
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import completeness, provenance
from nlbench.reports.render.files import to_csv
from nlbench.reports.render.markdown import bullets, escape, table
from nlbench.reports.stats import mean_interval
from nlbench.reports.text import NONE, interval, number, p_equals, rounded, significant
from nlbench.reports.topics.classes.compare import Trend, trends, verdict_of
from nlbench.reports.topics.classes.find import ClassStudy, Point
from nlbench.reports.topics.columns import difference
from nlbench.reports.topics.parts import about, section, spread_of

FILE = "classes"
COLUMNS = (
    "study", "dataset", "condition", "noise_drawn", "accuracy_rule", "model", "profile", "recipe",
    "data_label", "classes",
    "train_per_class", "chance", "method", "n", "expected_n", "mean", "sd", "ci_low", "ci_high",
    "ceiling", "share", "share_sd", "share_ci_low", "share_ci_high", "baseline", "diff",
    "diff_ci_low", "diff_ci_high", "diff_p", "diff_p_holm", "diff_family", "words", "collapsed",
    "diverged",
)  # fmt: skip
TREND_COLUMNS = (
    "study", "method", "baseline", "points_per_class", "ci_low", "ci_high", "n", "p", "p_holm",
    "family_size", "reason", *settled.COLUMNS,
)  # fmt: skip


def tables(results: Results, found: Sequence[ClassStudy]) -> dict[str, str]:
    """A row per number of classes and method, and a row per trend."""
    return {
        f"{FILE}.csv": to_csv(_table(results, found)),
        f"{FILE}-trend.csv": to_csv(_trend_table(found)),
    }


def pages(results: Results, found: Sequence[ClassStudy]) -> dict[str, str]:
    """classes.md."""
    parts = [f"# {escape(results.study.title)}: number of classes"]
    for study in found:
        parts += _sections(results, study)
    return {f"{FILE}.md": "\n\n".join(parts) + "\n"}


def index_section(
    results: Results, found: Sequence[ClassStudy], block: Block | None
) -> Sequence[str]:
    """The trends in sentences."""
    del results
    if block is not None:
        return []
    lines = [line for study in found for line in trend_sentences(study)]
    return section("Number of classes", f"{FILE}.md", lines, level=2)


def caption(results: Results, study: ClassStudy) -> str:
    """Caption of every table and figure of the study."""
    cells = [c for p in study.points for m in study.methods if (c := p.cell(m)) is not None]
    epochs, rule, seeds = about(results, cells)
    labels = "; ".join(point.block.data_label for point in study.points)
    key = results.blocks[0].key if not study.points else study.points[0].block.key
    missing = [f"No record yet of: {'; '.join(study.unknown)}."] if study.unknown else []
    blocks = [point.block for point in study.points]
    where = list(dict.fromkeys(provenance(results, block) for block in blocks))
    whole = all(cell.complete for cell in cells)
    runs = [f"{p.classes} classes: {' '.join(completeness(p.block))}" for p in study.points]
    return " ".join(
        (
            f"Noise {study.line} on {labels}; {key.model}, profile {key.regime}, {epochs};"
            f" {rule}; {seeds}, and, where classes are left out, which).",
            *missing,
            *(["All runs are there."] if whole and not missing else runs),
            *where,
        )
    )


def ceiling_words(study: ClassStudy) -> str:
    """What the way from chance to the ceiling is."""
    top = f"{study.baseline} on clean labels, same seed" if study.ceiling else "100 %"
    return f"part of the way from chance (0) to {top} (1)"


def trend_sentences(study: ClassStudy) -> list[str]:
    """Where every method starts and ends, and whether its lead changes with the classes."""
    if len(study.points) < 2:
        return ["Less than two numbers of classes have a run, so nothing is said yet."]
    return [
        *(_span(study, method) for method in study.methods),
        *(_trend(study, trend) for trend in trends(study)),
    ]


def _span(study: ClassStudy, method: str) -> str:
    first, last = study.points[0], study.points[-1]
    ends = []
    for point in (first, last):
        cell = point.cell(method)
        mean = None if cell is None else cell.summary.mean
        share = study.share(point, method)
        ends.append((number(mean), number(mean_interval(share[np.isfinite(share)]).mean)))
    return (
        f"{method} on {pretty_condition(study.line)}: test accuracy {ends[0][0]} with"
        f" {first.classes} classes, {ends[1][0]} with {last.classes};"
        f" {ceiling_words(study)}: {ends[0][1]} and {ends[1][1]}."
    )


def _trend(study: ClassStudy, trend: Trend) -> str:
    head = f"Lead of {trend.method} over {study.baseline} on {pretty_condition(study.line)}"
    test = trend.test
    if test is None:
        return f"{head}: no trend tested ({trend.reason})."
    slope = f"{number(test.estimate, sign=True)} points per class"
    if test.p is None:
        return f"{head}: {slope}, n = {test.n}, not tested."
    span = interval(test.low, test.high, before=" ")
    family = "no correction" if trend.family == 1 else f"family of {trend.family}"
    facts = f"p_Holm {p_equals(trend.p_holm)} ({test.test} of slopes, n = {test.n}, {family})"
    decided = trend.p_holm is not None and trend.p_holm < ALPHA
    words = "no trend is shown"
    if decided:
        words = "it grows" if (test.estimate or 0.0) > 0 else "it shrinks"
    return f"{head}, from {_range(study)}: {slope}{span}, {facts}: {words}."


def _range(study: ClassStudy) -> str:
    return f"{study.points[0].classes} to {study.points[-1].classes} classes"


def _sections(results: Results, study: ClassStudy) -> list[str]:
    def accuracy(point: Point, method: str) -> str:
        cell = point.cell(method)
        if cell is None:
            return NONE
        there = counted(cell)
        return spread_of(cell.values) + (f" †{there}" if there else "")

    def share(point: Point, method: str) -> str:
        return spread_of(study.share(point, method))

    def lead(point: Point, method: str) -> str:
        verdict = verdict_of(results, study, point, method)
        if verdict is None or verdict.estimate is None:
            return NONE
        span = interval(verdict.ci_low, verdict.ci_high, before=" ")
        return f"{number(verdict.estimate, sign=True)}{span}, {escape(verdict.words)}"

    others = [method for method in study.methods if method != study.baseline]
    cells = [point.cell(method) for point in study.points for method in study.methods]
    whole = all(cell is not None and cell.complete for cell in cells)
    sentences = [
        f"{point.classes} classes: {verdict.sentence()}"
        for point in study.points
        for method in others
        if (verdict := verdict_of(results, study, point, method)) is not None
    ]
    return [
        f"## {escape(study.dataset)}, {escape(pretty_condition(study.line))}",
        escape(caption(results, study)),
        "### Test accuracy (%)",
        _matrix(study, list(study.methods), accuracy),
        *(["† seeds with a value / declared seeds."] if not whole else []),
        f"### P{escape(ceiling_words(study)).removeprefix('p')}",
        _matrix(study, list(study.methods), share),
        f"### Lead over {escape(study.baseline)}, points",
        _matrix(study, others, lead),
        "Paired over seeds, 95 % Student interval; the verdict is that of the report's own table of"
        " comparisons, corrected within each number of classes.",
        bullets(sentences),
        "### Trend",
        "Per seed the least-squares slope of the lead on the number of classes, then a t test of"
        " the slopes over seeds, Holm over the methods. With more classes a seed keeps those it"
        " had.",
        bullets(trend_sentences(study)),
    ]


def _matrix(study: ClassStudy, methods: list[str], text: Callable[[Point, str], str]) -> str:
    headers = ["classes", "images per class", "chance", *(escape(m) for m in methods)]
    rows = [
        [
            str(point.classes),
            str(point.block.key.train_per_class or "all"),
            number(point.chance, 1),
            *(text(point, method) for method in methods),
        ]
        for point in study.points
    ]
    return table(headers, rows)


def _table(results: Results, studies: Sequence[ClassStudy]) -> pd.DataFrame:
    rows = [
        _row(results, study, point, method)
        for study in studies
        for point in study.points
        for method in study.methods
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        {"train_per_class": "Int64", "diff_family": "Int64"}
    )


def _row(results: Results, study: ClassStudy, point: Point, method: str) -> dict[str, Any]:
    cell, key = point.cell(method), point.block.key
    assert cell is not None  # every method has every point
    share = study.share(point, method)
    part = mean_interval(share[np.isfinite(share)])
    verdict = verdict_of(results, study, point, method)
    return {
        "study": study.number,
        "dataset": study.dataset,
        "condition": study.line,
        "noise_drawn": next(c.drawn for c in point.block.conditions if c.line == study.line),
        "accuracy_rule": results.rule,
        "model": key.model,
        "profile": key.profile,
        "recipe": cell.recipe,
        "data_label": point.block.data_label,
        "classes": point.classes,
        "train_per_class": key.train_per_class,
        "chance": rounded(point.chance),
        "method": method,
        "n": cell.summary.n,
        "expected_n": cell.expected,
        "mean": rounded(cell.summary.mean),
        "sd": rounded(cell.summary.sd),
        "ci_low": rounded(cell.summary.low),
        "ci_high": rounded(cell.summary.high),
        "ceiling": "clean" if study.ceiling else "100",
        "share": rounded(part.mean),
        "share_sd": rounded(part.sd),
        "share_ci_low": rounded(part.low),
        "share_ci_high": rounded(part.high),
        "baseline": study.baseline if verdict else "",
        **difference(verdict),
        "diff_family": verdict.family_size if verdict else None,
        "words": verdict.words if verdict else "",
        "collapsed": int(cell.collapsed.sum()),
        "diverged": cell.count("diverged"),
    }


def _trend_table(studies: Sequence[ClassStudy]) -> pd.DataFrame:
    rows = [
        {
            "study": study.number,
            "method": trend.method,
            "baseline": study.baseline,
            "points_per_class": rounded(trend.test.estimate) if trend.test else None,
            "ci_low": rounded(trend.test.low) if trend.test else None,
            "ci_high": rounded(trend.test.high) if trend.test else None,
            "n": trend.test.n if trend.test else 0,
            "p": significant(trend.test.p) if trend.test else None,
            "p_holm": significant(trend.p_holm),
            "family_size": trend.family,
            "reason": trend.reason,
            **settled.settled(
                [point.block for point in study.points],
                {trend.method, study.baseline},
                {(point.block.index, study.line) for point in study.points},
            ),
        }
        for study in studies
        for trend in trends(study)
    ]
    return pd.DataFrame(rows, columns=list(TREND_COLUMNS))
