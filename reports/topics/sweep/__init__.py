"""Sweeps of two hyper-parameters: how much they matter, and what validation would have chosen."""

from __future__ import annotations

from nlbench.reports.topics.sweep import figure, page
from nlbench.reports.topics.topic import Topic

TOPIC = Topic(
    name="sweep",
    find=page.search,
    tables=page.tables,
    pages=page.pages,
    section=page.index_section,
    figures=figure.figures,
)
