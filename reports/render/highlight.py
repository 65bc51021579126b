"""Highlight: what a topic puts on the first screen of a study, and on the list of studies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Highlight:
    """A line and a small table, plain text.

    Attributes:
        topic: what it is about, the same for every study: the heading of a section.
        title: which runs of the study.
        line: the answer in one sentence or two.
        headers: of the table; the first column is of methods.
        rows: its cells, as many as headers.
        strong: (row, column) of cells in bold.
        note: what the numbers and bold print are.
    """

    topic: str
    title: str
    line: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[tuple[int, int]]
    note: str
