"""The topics of reports: a new one is entered here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from nlbench.reports.compare.results import Results
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.read.cells import Block
from nlbench.reports.render.highlight import Highlight
from nlbench.reports.topics import (
    classes,
    cost,
    detection,
    kept,
    measures,
    one_parameter,
    open_set,
    other_test_sets,
    published,
    recipe_axis,
    seeds,
    sweep,
    tuned,
)
from nlbench.reports.topics.topic import Topic

# In the order of their parts in a report.
TOPICS: tuple[Topic[Any], ...] = (
    open_set.TOPIC,
    detection.TOPIC,
    measures.TOPIC,
    other_test_sets.TOPIC,
    sweep.TOPIC,
    one_parameter.TOPIC,
    tuned.TOPIC,
    classes.TOPIC,
    recipe_axis.TOPIC,
    published.TOPIC,
    kept.TOPIC,
    cost.TOPIC,
)
# Of a table of accuracies: all others are found in records.
OF_TABLES: tuple[Topic[Any], ...] = (seeds.TOPIC,)


class Topics:
    """What a study has of all topics."""

    def __init__(self, results: Results, topics: tuple[Topic[Any], ...] | None = None) -> None:
        """Nothing is computed before it is needed, and nothing twice."""
        self._results = results
        self._topics = topics or (OF_TABLES if results.study.given else TOPICS)

    @cached_property
    def _found(self) -> tuple[tuple[Topic[Any], Any], ...]:
        found = ((topic, topic.find(self._results)) for topic in self._topics)
        return tuple((topic, part) for topic, part in found if part)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before trusting a number, a line each."""
        return tuple(line for t, found in self._found for line in t.warnings(self._results, found))

    @cached_property
    def highlights(self) -> tuple[Highlight, ...]:
        """What the first screen shows beside the accuracies."""
        return tuple(h for t, found in self._found for h in t.highlights(self._results, found))

    @cached_property
    def of_methods(self) -> dict[str, tuple[str, ...]]:
        """Registered name of a method -> sentences for the page of it."""
        said: dict[str, tuple[str, ...]] = {}
        for topic, found in self._found:
            for name, sentence in topic.of_methods(self._results, found).items():
                said[name] = (*said.get(name, ()), sentence)
        return said

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Name and description of the files that the index page lists."""
        return tuple(file for topic, _ in self._found for file in topic.files)

    @property
    def latex(self) -> tuple[str, ...]:
        """Names of the LaTeX tables among them, without ``.tex``."""
        return tuple(n.removesuffix(".tex") for n, _ in self.files if n.endswith(".tex"))

    def texts(self, only: str | None) -> dict[str, str]:
        """File name -> content, of the requested parts (one of ``reports.PARTS``, or all)."""
        texts: dict[str, str] = {}
        for topic, found in self._found:
            if only in (None, "leaderboard"):
                texts |= topic.tables(self._results, found)
            if only in (None, "tables"):
                texts |= topic.pages(self._results, found)
        return texts

    def sections(self, block: Block | None) -> list[str]:
        """Paragraphs for the index page, about a block or (``None``) about the study."""
        return [
            part
            for topic, found in self._found
            for part in topic.section(self._results, found, block)
        ]

    def figures(self, block: Block | None) -> Iterator[Planned]:
        """Figures of a block or (``None``) of the study."""
        for topic, found in self._found:
            yield from topic.figures(self._results, found, block)
