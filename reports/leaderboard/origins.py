"""A leaderboard of several origins: whose each row is, and how the rows of one more are added."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nlbench.reports.errors import ReportError
from nlbench.reports.leaderboard.merge import Line, combine, key_of, read
from nlbench.reports.render.files import harmless_cell, to_csv

OURS = "nlbench"
ORIGIN = "origin"
MOST = 200  # characters of an origin
_ORIGIN = re.compile(r"(?P<name>[^,].*),\s+(?P<place>https?://[^\s,]+|(doi:)?10\.\d{4,9}/[^\s,]+)")
Row = dict[str, str]


@dataclass(frozen=True)
class Origin:
    """Whose results they are, and where more about them is.

    Attributes:
        name: of a person or a group.
        place: a URL or a DOI; empty for ours.
    """

    name: str
    place: str = ""

    @classmethod
    def parse(cls, text: str) -> Origin:
        """``NAME, URL`` or ``NAME, DOI``.

        Raises:
            ReportError: anything else, or our own name.
        """
        found = _ORIGIN.fullmatch(text.strip())
        if found is None or not text.isprintable() or len(text) > MOST:
            raise ReportError(
                f"origin {text!r:.220} should be a name and where more is found, a URL or a DOI, on"
                f" one line of at most {MOST} characters: 'A. Author, https://example.org/paper'"
            )
        if found["name"].strip().lower() == OURS:
            raise ReportError(f"origin {text!r}: {OURS!r} marks the rows of the project itself")
        return cls(found["name"].strip(), found["place"])

    @classmethod
    def of(cls, cell: str) -> Origin:
        """What a cell of the column holds."""
        return cls(OURS) if cell == OURS else cls.parse(cell.removeprefix("'"))

    @property
    def link(self) -> str:
        """A URL; empty for ours."""
        if not self.place or self.place.startswith("http"):
            return self.place
        return f"https://doi.org/{self.place.removeprefix('doi:')}"

    def __str__(self) -> str:
        return f"{self.name}, {self.place}" if self.place else self.name


def marked(file: Path) -> list[Line]:
    """The rows of a leaderboard each marked with whose it is.

    Raises:
        ReportError: it cannot be read, or a row is not marked.
    """
    lines = list(read(file))
    for name, line, row in lines:
        if isinstance(row, str):
            raise ReportError(f"leaderboard {name}, line {line}: {row}")
        if ORIGIN not in row:
            raise ReportError(
                f"leaderboard {name}: has no column {ORIGIN!r}, so whose its rows are is not known;"
                " name a new file, which begins with our published rows"
            )
        try:
            Origin.of(row[ORIGIN])
        except ReportError as error:
            raise ReportError(f"leaderboard {name}, line {line}: {error}") from error
    return lines


def published(file: Path) -> list[Line]:
    """The rows of a published leaderboard, marked as ours."""
    return [
        (name, line, row if isinstance(row, str) else {**row, ORIGIN: OURS})
        for name, line, row in read(file)
    ]


def added(present: Sequence[Line], table: pd.DataFrame, origin: Origin, where: str) -> pd.DataFrame:
    """The leaderboard with the rows of one more origin.

    Args:
        present: rows that are marked.
        table: of :func:`nlbench.reports.leaderboard.table.leaderboard_table`.
        origin: whose it is.
        where: the table comes from, for messages.

    Raises:
        ReportError: rows that are there already, or that do not fit those that are there.
    """
    cell = str(harmless_cell(str(origin)))
    mine = [(name, line, {**row, ORIGIN: cell}) for name, line, row in _lines(table, where)]
    _refuse_twice([row for _, _, row in present if isinstance(row, dict)], [r for *_, r in mine])
    merged = combine([*present, *mine])
    if merged.refused:
        more = f" (and {len(merged.refused) - 1} more)" if len(merged.refused) > 1 else ""
        raise ReportError(f"leaderboard add: {merged.refused[0]}{more}; nothing was added")
    found = merged.table.drop(columns="source")
    return found[[name for name in found.columns if name != ORIGIN] + [ORIGIN]]


def _lines(table: pd.DataFrame, where: str) -> list[tuple[str, int, Row]]:
    """Rows of conditions as the text that a file of them has."""
    reader = csv.DictReader(io.StringIO(to_csv(table), newline=""))
    return [(where, n, row) for n, row in enumerate(reader, 2) if row["scope"] == "condition"]


def _refuse_twice(present: Iterable[Row], mine: Sequence[Row]) -> None:
    """Refuse rows of an origin that has them already, and another's rows under a new name."""
    by_key = {key_of(row): row for row in present}
    for row in mine:
        if key_of(row) in by_key:
            raise ReportError(
                f"leaderboard add: {row['method']}, {row['condition']} of {row[ORIGIN]} is there"
                " already; an origin adds each method once"
            )
    for other in dict.fromkeys(row[ORIGIN] for row in by_key.values()):
        same = [by_key.get(key_of({**row, ORIGIN: other})) for row in mine]
        if all(
            found is not None and _equal(found, row) for found, row in zip(same, mine, strict=True)
        ):
            raise ReportError(
                f"leaderboard add: all {len(mine)} rows are there already, with the same numbers,"
                f" of origin {other}; nothing is new"
            )


def _equal(one: Row, other: Row) -> bool:
    return all(one[name] == other[name] for name in ("mean", "sd", "n", "min", "max"))
