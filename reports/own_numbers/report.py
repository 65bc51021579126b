"""The report of a table of accuracies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nlbench.reports.compare.seeds_needed import terminal_lines
from nlbench.reports.own_numbers.analysis import Wanted, analyse_table
from nlbench.reports.own_numbers.table import common_seeds, read_table
from nlbench.reports.text import plural
from nlbench.reports.write import write_results


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        text: accuracy table, verdicts, seeds needed and warnings, for a terminal.
        files: how many there are.
    """

    text: str
    files: int


def write(
    path: Path,
    out: Path,
    wanted: Wanted,
    unit: str | None = None,
    common: bool = False,
    only: str | None = None,
    workers: int = 1,
) -> Report:
    """Read a table, analyse it and write its report.

    Args:
        path: of the CSV file.
        out: folder, made if it is not there.
        wanted: what to compare.
        unit: of the accuracies, ``None`` to assume one.
        common: whether to leave out what not all methods of a condition have.
        only: part of the report, see :func:`nlbench.reports.build.build_report`.
        workers: processes that write figures.

    Raises:
        ReportError: a table that is not as it should be, or a folder that cannot be written.
    """
    table, left = read_table(path, unit), 0
    if common:
        table, left = common_seeds(table)
    results = analyse_table(table, wanted)
    built = write_results(results, out, only, workers).built
    lines = [f"Accuracies are taken for {table.unit}.", built.text]
    if left:
        lines.append(f"Left out: {plural(left, 'run')} of seeds that not all methods have.")
    return Report("\n".join([*lines, *terminal_lines(results)]), len(built.files))
