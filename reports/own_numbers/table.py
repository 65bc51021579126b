"""A table of accuracies, from a CSV file: columns method, condition, seed, accuracy."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nlbench.reports.errors import ReportError, unknown
from nlbench.reports.own_numbers.condition import noise_line
from nlbench.reports.text import one_line

COLUMNS = ("method", "condition", "seed", "accuracy")
PERCENT, FRACTION = "percent", "fraction"
UNITS = {PERCENT: 100.0, FRACTION: 1.0}
_DELIMITERS = ",;\t"
_NOTHING = ("", "nan", "na", "none")


@dataclass(frozen=True)
class Run:
    """One row of the table.

    Attributes:
        line: of the file, counted from 1.
        method: as written.
        condition: as a noise line, see own_numbers/condition.py.
        seed: whole number.
        accuracy: in the unit of the file; ``None`` where the cell is empty.
        pairing: fingerprints in the order of PAIRING, where the table has them.
    """

    line: int
    method: str
    condition: str
    seed: int
    accuracy: float | None
    pairing: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where a table is from.

    Attributes:
        place: what errors call it.
        name: short name for titles.
        source: name with its ending.
        row: what one of its rows is called.
    """

    place: str
    name: str
    source: str
    row: str = "line"

    def at(self, number: int) -> str:
        """Name a row."""
        return f"{self.place}, {self.row} {number}"


@dataclass(frozen=True)
class Table:
    """The rows of a file and how they were understood.

    Attributes:
        name: of the file, without its ending.
        source: of the file, with its ending.
        sha256: of its bytes.
        runs: in the order of the file, accuracies in percent.
        unit: what the accuracies were taken for, in words.
        ignored: names of the further columns.
    """

    name: str
    source: str
    sha256: str
    runs: tuple[Run, ...]
    unit: str
    ignored: tuple[str, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(dict.fromkeys(run.method for run in self.runs))


def read_table(path: Path, unit: str | None = None) -> Table:
    """Read a CSV file (comma, semicolon or tab) with a header.

    Args:
        path: of the file.
        unit: of the accuracies, one of UNITS; ``None``: fractions if none is above 1, else
            percentages.

    Raises:
        ReportError: naming file, line and value.
    """
    if unit is not None and unit not in UNITS:
        raise unknown("unit of accuracies", unit, UNITS)
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ReportError(f"{path}: cannot be read ({reason})") from error
    try:
        rows = [(line, row) for line, row in _rows(text) if any(row)]
    except csv.Error as error:
        raise ReportError(f"{path}: is not a CSV file ({error})") from error
    origin = Origin(str(path), path.stem, path.name)
    header = [name.lower() for name in rows[0][1]] if rows else []
    return table_of(origin, hashlib.sha256(content).hexdigest(), header, rows[1:], unit)


def table_of(
    origin: Origin,
    sha256: str,
    header: Sequence[str],
    rows: Iterable[tuple[int, Sequence[str]]],
    unit: str | None,
) -> Table:
    """A table from its cells as text.

    Args:
        origin: for messages.
        sha256: of its bytes.
        header: names of the columns, in small letters.
        rows: their numbers and cells.
        unit: as for :func:`read_table`.

    Raises:
        ReportError: naming origin, row and value.
    """
    if unit is not None and unit not in UNITS:
        raise unknown("unit of accuracies", unit, UNITS)
    check_header(origin, header)
    runs = [_run(origin, at, dict(_cells(origin, at, header, row))) for at, row in rows]
    _check_runs(origin, runs)
    known, words = _unit(origin, runs, unit)
    return Table(
        name=origin.name,
        source=origin.source,
        sha256=sha256,
        runs=tuple(_in_percent(origin, run, known) for run in runs),
        unit=words,
        ignored=tuple(name for name in header if name not in COLUMNS),
    )


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=head.count))
    for row in reader:
        yield reader.line_num, [one_line(cell) for cell in row]


def check_header(origin: Origin, header: Sequence[str], there: Sequence[str] = ()) -> None:
    """Refuse a table without one of the columns, or with one of them twice.

    Args:
        origin: for messages.
        header: names of the columns.
        there: the same as whoever made the table calls them.

    Raises:
        ReportError: naming the column.
    """
    if not header:
        raise ReportError(f"{origin.place}: is empty; it should have {', '.join(COLUMNS)}")
    for name in COLUMNS:
        if header.count(name) != 1:
            has = "has no" if name not in header else f"has {header.count(name)} times the"
            raise ReportError(
                f"{origin.place}: {has} column {name!r}; its columns should be"
                f" {', '.join(COLUMNS)} (they are: {', '.join(there or header)})"
            )


def _cells(
    origin: Origin, line: int, header: Sequence[str], row: Sequence[str]
) -> Iterable[tuple[str, str]]:
    if len(row) != len(header):
        raise ReportError(f"{origin.at(line)}: {len(row)} cells, but {len(header)} columns")
    return zip(header, row, strict=True)


def _run(origin: Origin, line: int, cells: dict[str, str]) -> Run:
    for name in ("method", "condition"):
        if not cells[name]:
            raise ReportError(f"{origin.at(line)}: no {name}")
    # Pandas writes whole numbers beside empty cells as 0.0, 1.0 ...
    seed = _number(origin, line, "seed", cells["seed"], "a whole number")
    if not seed.is_integer():
        raise ReportError(f"{origin.at(line)}: seed {cells['seed']!r} is not a whole number")
    text, accuracy = cells["accuracy"], None
    if text.lower() not in _NOTHING:
        accuracy = _number(origin, line, "accuracy", text, "a number such as 93.1 or 0.931")
    return Run(line, cells["method"], noise_line(cells["condition"]), int(seed), accuracy)


def _number(origin: Origin, line: int, name: str, text: str, right: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ReportError(f"{origin.at(line)}: {name} {text!r} should be {right}")
    return value


def _check_runs(origin: Origin, runs: Sequence[Run]) -> None:
    if not runs:
        raise ReportError(f"{origin.place}: has a header but no rows")
    seen: dict[tuple[str, str, int], int] = {}
    for run in runs:
        first = seen.setdefault((run.method, run.condition, run.seed), run.line)
        if first != run.line:
            raise ReportError(
                f"{origin.at(run.line)}: method {run.method!r}, condition {run.condition!r},"
                f" seed {run.seed} is in {origin.row} {first} already"
            )


def _unit(origin: Origin, runs: Sequence[Run], stated: str | None) -> tuple[str, str]:
    """The unit, and in words how it is known."""
    known = [run for run in runs if run.accuracy is not None]
    if not known:
        raise ReportError(f"{origin.place}: no row has an accuracy")
    if stated is not None:
        return stated, f"{_plural(stated)}, as stated"
    small = [run for run in known if (run.accuracy or 0.0) <= 1]
    large = [run for run in known if (run.accuracy or 0.0) > 1]
    if small and large:
        few, many = sorted((small, large), key=len)
        unit = FRACTION if many is small else PERCENT
        raise ReportError(
            f"{origin.at(few[0].line)}: accuracy {few[0].accuracy:g} among {_plural(unit)};"
            f" if it is right, name the unit of all of them: --unit {PERCENT} or {FRACTION}"
        )
    if small:
        return FRACTION, "fractions, assumed because none is above 1"
    return PERCENT, "percentages, assumed because all are above 1"


def _plural(unit: str) -> str:
    return {PERCENT: "percentages", FRACTION: "fractions"}[unit]


def _in_percent(origin: Origin, run: Run, unit: str) -> Run:
    top = UNITS[unit]
    if run.accuracy is None:
        return run
    if not 0 <= run.accuracy <= top:
        raise ReportError(
            f"{origin.at(run.line)}: accuracy {run.accuracy:g} is not between 0 and {top:g}"
            f" ({_plural(unit)})"
        )
    return replace(run, accuracy=100 * run.accuracy / top)


def common_seeds(table: Table) -> tuple[Table, int]:
    """The table with the seeds of each condition that all its methods have an accuracy of.

    Returns:
        The smaller table, and how many rows with an accuracy were left out.
    """
    has: dict[tuple[str, str], set[int]] = {}
    for run in table.runs:
        seeds = has.setdefault((run.condition, run.method), set())
        if run.accuracy is not None:
            seeds.add(run.seed)
    shared: dict[str, set[int]] = {}
    for (condition, _), seeds in has.items():
        shared[condition] = shared.get(condition, seeds) & seeds
    runs = tuple(run for run in table.runs if run.seed in shared[run.condition])
    known = [sum(run.accuracy is not None for run in some) for some in (table.runs, runs)]
    return replace(table, runs=runs), known[0] - known[1]
