"""Detection of mislabelled samples, what an extra output takes up, and how that can fail."""

from __future__ import annotations

from nlbench.reports.topics.detection import compare, figure, page, signatures
from nlbench.reports.topics.topic import Topic

TOPIC = Topic(
    name="detection",
    find=compare.search,
    tables=page.tables,
    pages=page.pages,
    files=page.FILES,
    section=page.index_section,
    figures=figure.figures,
    warnings=signatures.warnings,
)
