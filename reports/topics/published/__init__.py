"""Published accuracies beside ours where the setting is the same, and why they may differ."""

from __future__ import annotations

from nlbench.reports.topics.published.match import Match, matches
from nlbench.reports.topics.published.numbers import Number, numbers
from nlbench.reports.topics.published.page import published_csv, published_markdown, published_texts

__all__ = [
    "Match",
    "Number",
    "matches",
    "numbers",
    "published_csv",
    "published_markdown",
    "published_texts",
]
