"""Topic: the part of a report about one thing that some runs hold beside their accuracies.

A topic is a folder of this package (or a file, where it is small) with one ``TOPIC``, entered in
registry.py. The rest of the reports names no topic: it uses the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from nlbench.reports.compare.results import Results
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.read.cells import Block
from nlbench.reports.render.highlight import Highlight

Found = TypeVar("Found")


def _nothing(*_: Any) -> tuple[()]:
    return ()


def _no_texts(*_: Any) -> dict[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Topic(Generic[Found]):
    """How a topic finds its runs, and what a report gets of them.

    ``find`` is called once per report. Where it returns nothing (``None`` or an empty sequence),
    the report has no part of this topic and nothing else is called.

    Attributes:
        name: its folder's.
        find: finds the runs and makes all comparisons.
        tables: CSV files, name -> content: part ``leaderboard`` of a report.
        pages: Markdown and LaTeX files, name -> content: part ``tables`` of a report.
        files: name and description of files that the index page lists; the LaTeX files among them
            are in the document of all tables too.
        section: part of the index page, paragraphs of Markdown; made for every block and, after
            the last one, for the study as a whole (``None``).
        figures: figures of a block or of the study, as for ``section``. The names of a block's
            figures get the number of the block, and their ``block`` is set.
        highlights: what the first screen of the study shows of it.
        of_methods: registered name of a method -> a sentence for the page of it.
        warnings: what a reader must know before trusting a number, plain text, a line each.
    """

    name: str
    find: Callable[[Results], Found | None]
    tables: Callable[[Results, Found], dict[str, str]] = _no_texts
    pages: Callable[[Results, Found], dict[str, str]] = _no_texts
    files: tuple[tuple[str, str], ...] = ()
    section: Callable[[Results, Found, Block | None], Sequence[str]] = _nothing
    figures: Callable[[Results, Found, Block | None], Iterable[Planned]] = _nothing
    highlights: Callable[[Results, Found], Sequence[Highlight]] = _nothing
    of_methods: Callable[[Results, Found], dict[str, str]] = _no_texts
    warnings: Callable[[Results, Found], Sequence[str]] = _nothing
