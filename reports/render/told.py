"""What methods were told beyond the given labels: unknown outside an experiment."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.text import listing


def privileges(column: pd.Series) -> tuple[str, ...]:
    """Names of what these runs were told, each once."""
    words = (word for line in column.dropna() for word in str(line).split(", "))
    return tuple(sorted(set(words)))


def told(results: Results, block: Block) -> dict[str, str]:
    """Method -> what it was told, in words; without those that were told nothing."""
    runs = results.frame.runs
    if "told" not in runs:
        return {}
    mine = runs[(runs["block"] == block.index) & runs["told"].notna()]
    return {
        str(label): ", ".join(privileges(rows["told"])).replace("_", " ")
        for label, rows in mine.groupby("method", observed=True)
    }


def told_sentence(found: Mapping[str, str], whom: str = "Told") -> list[str]:
    """One sentence that names them all; nothing where there are none."""
    if not found:
        return []
    names = [f"{method} ({words})" for method, words in found.items()]
    return [f"{whom} what is unknown outside an experiment: {listing(names)}."]
