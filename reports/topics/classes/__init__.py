"""How accuracy depends on the number of classes, above chance and against the baseline."""

from __future__ import annotations

from nlbench.reports.topics.classes import figure, find, page
from nlbench.reports.topics.topic import Topic

TOPIC = Topic(
    name="classes",
    find=find.class_studies,
    tables=page.tables,
    pages=page.pages,
    section=page.index_section,
    figures=figure.figures,
)
