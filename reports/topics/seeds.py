"""Seeds that a wanted difference needs: of a table of accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.compare.seeds_needed import Needed, count, needed, words
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.files import to_csv
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.text import number
from nlbench.reports.topics.topic import Topic

FILE = "seeds-needed.csv"


def _section(results: Results, found: Sequence[Needed], block: Block | None) -> list[str]:
    if block is not None:
        return []
    headers = ["condition", "comparison", "seeds", "standard deviation", "needed"]
    rows = [
        [
            escape(pretty_condition(one.condition)),
            escape(f"{one.a} vs {one.b}"),
            str(one.n),
            number(one.sd),
            escape(count(one)),
        ]
        for one in found
    ]
    return ["## Seeds needed", words(results), table(headers, rows, left=2)]


def _tables(_: Results, found: Sequence[Needed]) -> dict[str, str]:
    rows = pd.DataFrame([asdict(one) for one in found])
    whole = dict.fromkeys(("seeds", "seeds_low", "seeds_high"), "Int64")
    return {FILE: to_csv(rows.astype(whole).round(6))}


TOPIC = Topic(
    name="seeds",
    find=needed,
    tables=_tables,
    files=((FILE, "how many seeds find the wanted difference, a row per comparison"),),
    section=_section,
)
