"""Open-set recognition: which methods separate unknown images from known ones."""

from __future__ import annotations

from nlbench.reports.topics.open_set import compare, figure, highlight, page
from nlbench.reports.topics.topic import Topic

TOPIC = Topic(
    name="open_set",
    find=compare.search,
    tables=page.tables,
    pages=page.pages,
    files=page.FILES,
    section=page.index_section,
    highlights=highlight.highlights,
    figures=figure.figures,
)
