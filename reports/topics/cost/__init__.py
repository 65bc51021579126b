"""What methods cost beside cross-entropy, what they were told, and one network of two."""

from __future__ import annotations

from nlbench.reports.topics.cost import find, page
from nlbench.reports.topics.topic import Topic

TOPIC = Topic(
    name="cost",
    find=find.costs,
    tables=page.tables,
    pages=page.pages,
    files=page.FILES,
    section=page.section,
    of_methods=page.of_methods,
)
