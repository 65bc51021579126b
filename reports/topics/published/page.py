"""published.md and published.csv: ours, published, source, difference, why they may differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from string import ascii_lowercase
from typing import Any

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.files import to_csv
from nlbench.reports.render.markdown import bullets, escape, table
from nlbench.reports.text import number, plural, rounded
from nlbench.reports.topics.parts import spread
from nlbench.reports.topics.published.match import Match
from nlbench.reports.topics.published.reasons import ALWAYS, reasons

COLUMNS = (
    "dataset", "data_label", "model", "profile", "recipe", "accuracy_rule", "condition",
    "noise_drawn", "method",
    "ours_mean", "ours_sd", "ours_n", "ours_expected_n", "published_mean", "published_sd",
    "published_metric", "second_hand", "difference", "source", "why_they_may_differ",
)  # fmt: skip
FILE = "published"
FILES = ((f"{FILE}.md", "beside published numbers, and why they may differ"),)


def tables(results: Results, found: Sequence[Match]) -> dict[str, str]:
    """published.csv."""
    return {f"{FILE}.csv": published_csv(results, found)}


def pages(results: Results, found: Sequence[Match]) -> dict[str, str]:
    """published.md."""
    return {f"{FILE}.md": published_markdown(results, found)}


def published_csv(results: Results, found: Sequence[Match]) -> str:
    """A row per published number, reasons in full."""
    rows = [_row(results.rule, match) for match in found]
    return to_csv(pd.DataFrame(rows, columns=list(COLUMNS)))


def published_markdown(results: Results, found: Sequence[Match]) -> str:
    """A table per block; sources and reasons as notes below it."""
    parts = [f"# {escape(results.study.title)}: beside published numbers", escape(ALWAYS)]
    for title, part in groupby(found, lambda match: match.block.title):
        parts += [f"## {escape(title)}", *_section(list(part))]
    return "\n\n".join(parts) + "\n"


def _section(found: Sequence[Match]) -> list[str]:
    sources = list(dict.fromkeys(match.number.source for match in found))
    words = list(dict.fromkeys(word for match in found for word in reasons(match)))
    headers = ["noise", "method", "ours", "seeds", "published", "ours − published", "source", "why"]
    rows = [
        [
            escape(pretty_condition(match.condition.line)),
            escape(match.cell.method),
            spread(match.cell.summary.mean, match.cell.summary.sd),
            f"{match.cell.summary.n} of {match.cell.expected}",
            spread(match.number.mean, match.number.sd),
            number(match.difference, sign=True),
            str(1 + sources.index(match.number.source)),
            " ".join(_letter(words.index(word)) for word in reasons(match)),
        ]
        for match in found
    ]
    listed = "\n".join(f"{i}. {escape(source)}" for i, source in enumerate(sources, 1))
    why = bullets(f"{_letter(i)}: {word}" for i, word in enumerate(words))
    cells = len({(match.cell.method, match.cell.condition) for match in found})
    return [
        table(headers, rows, left=2),
        f"{plural(len(found), 'published number')} for {plural(cells, 'cell')}; accuracy in"
        " percent, mean ± standard deviation over seeds.",
        "Sources:",
        listed,
        "Why they may differ:",
        why,
    ]


def _row(rule: str, match: Match) -> dict[str, Any]:
    summary, theirs, key = match.cell.summary, match.number, match.block.key
    return {
        "dataset": key.dataset,
        "data_label": match.block.data_label,
        "model": key.model,
        "profile": key.profile,
        "recipe": match.cell.recipe,
        "accuracy_rule": rule,
        "condition": match.condition.line,
        "noise_drawn": match.condition.drawn,
        "method": match.cell.method,
        "ours_mean": rounded(summary.mean),
        "ours_sd": rounded(summary.sd),
        "ours_n": summary.n,
        "ours_expected_n": match.cell.expected,
        "published_mean": theirs.mean,
        "published_sd": theirs.sd,
        "published_metric": theirs.metric,
        "second_hand": theirs.second_hand,
        "difference": rounded(match.difference),
        "source": theirs.source,
        "why_they_may_differ": "; ".join(reasons(match)),
    }


def _letter(index: int) -> str:
    return ascii_lowercase[index]
