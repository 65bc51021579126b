"""The report of a table of accuracies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nlbench.reports.compare.results import Results
from nlbench.reports.compare.seeds_needed import terminal_lines
from nlbench.reports.own_numbers.analysis import Wanted, analyse_table
from nlbench.reports.own_numbers.table import Table, common_seeds, read_table
from nlbench.reports.text import plural
from nlbench.reports.write import write_results


@dataclass(frozen=True)
class Analysed:
    """A table and what it comes to.

    Attributes:
        table: what was compared.
        left_out: how many runs were not, for not all methods have their seeds.
        results: everything computed.
    """

    table: Table
    left_out: int
    results: Results

    def text(self, report: str) -> str:
        """What a terminal shows: how the table was read, the report in short, seeds needed."""
        lines = [f"Accuracies are taken for {self.table.unit}.", report]
        if self.left_out:
            left = plural(self.left_out, "run")
            lines.append(f"Left out: {left} of seeds that not all methods have.")
        return "\n".join([*lines, *terminal_lines(self.results)])


def analyse(table: Table, wanted: Wanted, common: bool = False) -> Analysed:
    """Analyse a table.

    Args:
        table: of accuracies.
        wanted: what to compare.
        common: whether to leave out what not all methods of a condition have.

    Raises:
        ReportError: see :func:`analyse_table`.
    """
    left = 0
    if common:
        table, left = common_seeds(table)
    return Analysed(table, left, analyse_table(table, wanted))


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
    analysed = analyse(read_table(path, unit), wanted, common)
    built = write_results(analysed.results, out, only, workers).built
    return Report(analysed.text(built.text), len(built.files))
