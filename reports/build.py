"""Write a study's report: every table and figure from one analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

import pandas as pd

from nlbench.benchmark.store.collector import collector_paused
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.errors import ReportError, unknown
from nlbench.reports.figures.catalogue import figure_jobs
from nlbench.reports.figures.drawn import Drawn
from nlbench.reports.leaderboard.overall import overall_table
from nlbench.reports.leaderboard.runs import runs_table
from nlbench.reports.leaderboard.significance import significance_table
from nlbench.reports.leaderboard.table import leaderboard_table
from nlbench.reports.leaderboard.verdicts import verdicts_table
from nlbench.reports.parallel import Job, background, collector_spared
from nlbench.reports.read.extract import Intake
from nlbench.reports.read.study import Study
from nlbench.reports.render.across_conditions import overall_markdown
from nlbench.reports.render.files import to_csv, write_csv, write_text
from nlbench.reports.render.highlight import Highlight
from nlbench.reports.render.index import index_markdown
from nlbench.reports.render.latex import document
from nlbench.reports.render.latex_accuracy import accuracy_latex
from nlbench.reports.render.latex_paper import (
    document_of_all,
    overall_latex,
    seeds_latex,
    significance_latex,
)
from nlbench.reports.render.markdown import accuracy_markdown, significance_markdown
from nlbench.reports.render.selection import selection_markdown
from nlbench.reports.render.terminal import terminal_text
from nlbench.reports.topics.registry import Topics

LATEX = ("accuracy", "significance", "overall", "seeds")
PARTS = ("leaderboard", "tables", "figures")
TABLES: dict[str, Callable[[Results], pd.DataFrame]] = {
    "runs.csv": runs_table,
    "significance.csv": significance_table,
    "verdicts.csv": verdicts_table,
    "overall.csv": overall_table,
}


@dataclass(frozen=True)
class Built:
    """What a report came to.

    Attributes:
        files: everything written, in order.
        text: accuracy table, verdicts and warnings for a terminal.
        warnings: missing, failed, diverged, unpaired, duplicate and foreign runs, a line each.
        verdicts: all comparisons.
        leaderboard: the leaderboard as written.
        results: everything computed.
        drawn: the figures, in order.
        highlights: what topics put on the first screen.
        of_methods: registered name of a method -> what topics found of it, a sentence each.
    """

    files: tuple[Path, ...]
    text: str
    warnings: tuple[str, ...]
    verdicts: tuple[Comparison, ...]
    leaderboard: pd.DataFrame
    results: Results
    drawn: tuple[Drawn, ...]
    highlights: tuple[Highlight, ...] = ()
    of_methods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def build_report(
    study: Study,
    records: Iterable[RunRecord] | Intake,
    out: Path,
    rule: str | None = None,
    only: str | None = None,
    workers: int = 1,
) -> Built:
    """Compute a study's statistics and write its report; same records, same bytes.

    Args:
        study: the declared runs; those without a record are shown as missing.
        records: in any order, or what :func:`nlbench.reports.read.reader.read` took in.
        out: folder, made if it is not there; files of the report are replaced, others left alone.
        rule: accuracy rule of every table, one of RULES; by default the study's.
        only: one of PARTS (``leaderboard``: the CSV files; ``tables``: Markdown and LaTeX;
            ``figures``), ``None`` for everything.
        workers: processes that write figures beside this one; their number changes no byte.

    Raises:
        ReportError: no record of the study, an unknown rule or part, a rule without numbers, or a
            folder that cannot be written.
    """
    if only is not None and only not in PARTS:
        raise unknown("part of a report", only, PARTS)
    with collector_paused():
        results = analyse(study, records, rule)
    return build_from(results, out, only, workers)


def build_from(results: Results, out: Path, only: str | None = None, workers: int = 1) -> Built:
    """Write the report of what was computed; see :func:`build_report`."""
    if only is not None and only not in PARTS:
        raise unknown("part of a report", only, PARTS)
    topics = Topics(results)
    drawn: list[Drawn] = []
    figures: Iterable[Job] = ()
    if only in (None, "figures"):
        figures = figure_jobs(results, topics.figures, out / "figures", drawn)
    tables = TABLES if only in (None, "leaderboard") else {}
    first, rest = list(tables)[:1], list(tables)[1:]
    # The largest table first: it is there at once, and figures take a while to be made.
    jobs = chain(_csv_jobs(results, out, first), figures, _csv_jobs(results, out, rest))
    try:
        out.mkdir(parents=True, exist_ok=True)
        with collector_spared(), background(jobs, workers):
            leaderboard = leaderboard_table(results)
            texts = _texts(results, topics, leaderboard, drawn, only)
            for name, text in texts.items():
                write_text(text, out / name)
    except OSError as error:
        raise ReportError(f"report folder {out}: {error.strerror or error}") from error
    warnings = (*results.warnings, *topics.warnings)
    return Built(
        files=(
            *(out / name for name in (*tables, *texts)),
            *(file for figure in drawn for file in figure.files),
        ),
        text=terminal_text(results, leaderboard, warnings),
        warnings=warnings,
        verdicts=results.verdicts,
        leaderboard=leaderboard,
        results=results,
        drawn=tuple(drawn),
        highlights=topics.highlights,
        of_methods=topics.of_methods,
    )


def _csv_jobs(results: Results, out: Path, names: Iterable[str]) -> Iterator[Job]:
    for name in names:
        yield partial(write_csv, TABLES[name](results), out / name)


def _texts(
    results: Results,
    topics: Topics,
    leaderboard: pd.DataFrame,
    drawn: Sequence[Drawn],
    only: str | None,
) -> dict[str, str]:
    """File name -> content, of the requested parts."""
    texts: dict[str, str] = {}
    if only in (None, "leaderboard"):
        texts["leaderboard.csv"] = to_csv(leaderboard)
    if only is None:
        texts["index.md"] = index_markdown(results, leaderboard, drawn, topics)
    if only in (None, "tables"):
        texts |= {
            "accuracy.md": accuracy_markdown(results, leaderboard),
            "significance.md": significance_markdown(results),
            "overall.md": overall_markdown(results),
            "accuracy.tex": accuracy_latex(results, leaderboard),
            "accuracy-document.tex": document("accuracy"),
            "significance.tex": significance_latex(results),
            "overall.tex": overall_latex(results),
            "seeds.tex": seeds_latex(results),
            "document.tex": document_of_all(results, (*LATEX, *topics.latex), drawn),
        }
        if not results.study.given:
            texts["selection.md"] = selection_markdown(results)
    return texts | topics.texts(only)
