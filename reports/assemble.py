"""Write a study's report: every table and figure from one analysis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmark.record import RunRecord
from reports.classes import classes_texts
from reports.errors import ReportError, unknown
from reports.figures.catalogue import Drawn, draw_all
from reports.intake import Intake
from reports.models import mcnemar_table
from reports.published import published_texts
from reports.render.index import index_markdown
from reports.render.latex import accuracy_latex, document
from reports.render.latex_set import (
    document_of_all,
    overall_latex,
    seeds_latex,
    significance_latex,
)
from reports.render.markdown import accuracy_markdown, significance_markdown
from reports.render.measures import measure_tables, measure_texts
from reports.render.overall import overall_markdown
from reports.render.selection import selection_markdown
from reports.render.terminal import terminal_text
from reports.results import Results, analyse
from reports.study import Study
from reports.sweep import sweep_texts
from reports.tables import leaderboard_table, overall_table, runs_table, significance_table, to_csv
from reports.testsets import elsewhere_texts
from reports.verdict import Verdict

LATEX = ("accuracy", "significance", "overall", "seeds")
PARTS = ("leaderboard", "tables", "figures")


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
    """

    files: tuple[Path, ...]
    text: str
    warnings: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    leaderboard: pd.DataFrame
    results: Results
    drawn: tuple[Drawn, ...]


def build(
    study: Study,
    records: Iterable[RunRecord] | Intake,
    out: Path,
    rule: str = "last",
    only: str | None = None,
) -> Built:
    """Compute a study's statistics and write its report; same records, same bytes.

    Args:
        study: the declared runs; those without a record are shown as missing.
        records: in any order, or what :func:`reports.reading.read` took in.
        out: folder, made if it is not there; files of the report are replaced, others left alone.
        rule: accuracy rule of every table, one of RULES.
        only: one of PARTS (``leaderboard``: the CSV files; ``tables``: Markdown and LaTeX;
            ``figures``), ``None`` for everything.

    Raises:
        ReportError: no record of the study, an unknown rule or part, a rule without numbers, or a
            folder that cannot be written.
    """
    if only is not None and only not in PARTS:
        raise unknown("part of a report", only, PARTS)
    results = analyse(study, records, rule)
    leaderboard = leaderboard_table(results)
    try:
        out.mkdir(parents=True, exist_ok=True)
        drawn = draw_all(results, out / "figures") if only in (None, "figures") else ()
        texts = _texts(results, leaderboard, drawn, only)
        for name, text in texts.items():
            (out / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ReportError(f"report folder {out}: {error.strerror or error}") from error
    return Built(
        files=(*(out / name for name in texts), *(f for figure in drawn for f in figure.files)),
        text=terminal_text(results, leaderboard),
        warnings=results.warnings,
        verdicts=results.verdicts,
        leaderboard=leaderboard,
        results=results,
        drawn=drawn,
    )


def _texts(
    results: Results, leaderboard: pd.DataFrame, drawn: Sequence[Drawn], only: str | None
) -> dict[str, str]:
    """File name -> content, of the parts asked for."""
    texts: dict[str, str] = {}
    if only is None:
        texts["index.md"] = index_markdown(results, leaderboard, drawn)
    if only in (None, "leaderboard"):
        texts |= {
            "leaderboard.csv": to_csv(leaderboard),
            "runs.csv": to_csv(runs_table(results)),
            "significance.csv": to_csv(significance_table(results)),
            "mcnemar.csv": to_csv(mcnemar_table(results)),
            "overall.csv": to_csv(overall_table(results)),
        }
    if only in (None, "tables"):
        texts |= {
            "accuracy.md": accuracy_markdown(results, leaderboard),
            "significance.md": significance_markdown(results),
            "overall.md": overall_markdown(results),
            "selection.md": selection_markdown(results),
            "accuracy.tex": accuracy_latex(results, leaderboard),
            "accuracy-document.tex": document("accuracy"),
            "significance.tex": significance_latex(results),
            "overall.tex": overall_latex(results),
            "seeds.tex": seeds_latex(results),
            "document.tex": document_of_all(results, (*LATEX, *measure_tables(results)), drawn),
        }
    texts |= measure_texts(results, only)
    texts |= elsewhere_texts(results, only)
    texts |= sweep_texts(results, only) | classes_texts(results, only)
    return texts | published_texts(results, only)
