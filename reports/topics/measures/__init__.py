"""Measures beside accuracy, those that the study asks for: calibration, likelihood, ..."""

from __future__ import annotations

from nlbench.reports.topics.measures import compare, figure, page
from nlbench.reports.topics.topic import Topic

TOPIC = Topic(
    name="measures",
    find=compare.search,
    tables=page.tables,
    pages=page.pages,
    files=page.FILES,
    section=page.index_section,
    figures=figure.figures,
)
