"""Published accuracies beside ours where the setting is the same, and why they may differ."""

from __future__ import annotations

from nlbench.reports.topics.published import match, page
from nlbench.reports.topics.topic import Topic

TOPIC = Topic(
    name="published",
    find=match.matches,
    tables=page.tables,
    pages=page.pages,
    files=page.FILES,
)
