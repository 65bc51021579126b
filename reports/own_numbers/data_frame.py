"""A table of accuracies from a pandas DataFrame, read as the same rows of a CSV file would be."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from nlbench.reports.errors import ReportError, unknown
from nlbench.reports.own_numbers.table import COLUMNS, Origin, Table, check_header, table_of
from nlbench.reports.read.fields import PAIRING
from nlbench.reports.text import listing, one_line

FINGERPRINTS = tuple(f"pair_{part}" for part in PAIRING)
# What runs of one comparison have in common, as the columns of runs.csv call it.
SHARED = ("dataset", "train_per_class", "holdout", "model", "profile", "recipe")
MOST_NAMED = 8  # further columns


def frame_table(
    frame: pd.DataFrame, accuracy: str | None = None, unit: str | None = None, name: str = "table"
) -> Table:
    """The table that a DataFrame holds; columns in any order, or as levels of its index.

    Where it has the fingerprints of runs (columns ``pair_...`` of runs.csv), they are kept.

    Args:
        frame: columns method, condition, seed and accuracies; a row per run.
        accuracy: name of the column of accuracies; by default ``accuracy``, else ``last``.
        unit: as for :func:`nlbench.reports.own_numbers.table.read_table`.
        name: what errors and titles call it.

    Raises:
        ReportError: naming row (counted from 0) and value.
    """
    if any(level in COLUMNS for level in frame.index.names):
        frame = frame.reset_index()
    columns = [str(column) for column in frame.columns]
    chosen = _accuracy(name, columns, accuracy)
    header = [_name(column, chosen) for column in columns]
    origin = Origin(name, name, name, "row")
    check_header(origin, header, columns)
    kept = [frame.iloc[:, header.index(column)] for column in COLUMNS]
    _check_shared(origin, frame, kept)
    rows = list(zip(*map(_texts, kept), strict=True))
    table = table_of(origin, _sha256(rows), COLUMNS, enumerate(rows), unit)
    return _with_fingerprints(replace(table, ignored=_others(columns, header)), frame)


def _accuracy(name: str, columns: Sequence[str], given: str | None) -> str:
    if given is None:
        return next((c for c in columns if c.lower() == "accuracy"), None) or "last"
    if given not in columns:
        raise unknown(f"column of {name}:", given, columns)
    return given


def _name(column: str, accuracy: str) -> str:
    """Which of COLUMNS this is; empty for a further one."""
    if column == accuracy:
        return "accuracy"
    return column.lower() if column.lower() in COLUMNS[:3] else ""


def _texts(column: pd.Series) -> Iterator[str]:
    """Cells as a CSV file would hold them; floats with all their digits."""
    for value, missing in zip(column.tolist(), column.isna().tolist(), strict=True):
        yield "" if missing else one_line(str(value))


def _sha256(rows: Sequence[tuple[str, ...]]) -> str:
    """Of a CSV file of these four columns."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    return hashlib.sha256(text.getvalue().encode()).hexdigest()


def _check_shared(origin: Origin, frame: pd.DataFrame, kept: Sequence[pd.Series]) -> None:
    """Refuse runs of several data sets or networks in one cell (ReportError names an example)."""
    if not pd.concat(list(kept[:3]), axis=1).duplicated().any():
        return
    several = [
        column
        for column in SHARED
        if column in frame.columns and frame[column].nunique(dropna=False) > 1
    ]
    if several:
        first = several[0]
        raise ReportError(
            f"{origin.place}: runs of one method, condition and seed differ in {listing(several)};"
            f" compare one at a time, such as frame[frame[{first!r}] == {frame[first].iloc[0]!r}]"
        )


def _others(columns: Sequence[str], header: Sequence[str]) -> tuple[str, ...]:
    """The further columns, or how many there are."""
    others = [column for column, name in zip(columns, header, strict=True) if not name]
    return tuple(others) if len(others) <= MOST_NAMED else (f"{len(others)} others",)


def _with_fingerprints(table: Table, frame: pd.DataFrame) -> Table:
    if not set(FINGERPRINTS) <= set(frame.columns):
        return table
    prints = frame[list(FINGERPRINTS)].astype(object)
    found = prints.where(prints.notna(), None).itertuples(index=False, name=None)
    runs = (replace(run, pairing=each) for run, each in zip(table.runs, found, strict=True))
    return replace(table, runs=tuple(runs))
