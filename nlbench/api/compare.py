"""``nlbench.compare``: which differences of a table of accuracies are more than chance."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from nlbench.api.picture import Picture
from nlbench.benchmark.errors import UserError
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.catalogue import planned
from nlbench.reports.figures.style import styled
from nlbench.reports.leaderboard.significance import significance_table
from nlbench.reports.leaderboard.table import leaderboard_table
from nlbench.reports.own_numbers.analysis import Wanted
from nlbench.reports.own_numbers.data_frame import frame_table
from nlbench.reports.own_numbers.report import Analysed, analyse
from nlbench.reports.own_numbers.table import Table, read_table
from nlbench.reports.render.grid import accuracy_grid
from nlbench.reports.render.latex_accuracy import accuracy_latex
from nlbench.reports.render.markdown import (
    accuracy_markdown,
    bullets,
    escape,
    grid_table,
    words_under,
)
from nlbench.reports.render.terminal import SENTENCES, terminal_text
from nlbench.reports.site.embed import markdown_html
from nlbench.reports.text import listing, plural
from nlbench.reports.topics.registry import Topics
from nlbench.reports.write import write_results

Given = pd.DataFrame | Mapping[Any, Any] | Sequence[Mapping[Any, Any]] | str | Path


class Compared:
    """What a table of accuracies comes to: all that is in its report, before it is written.

    ``print`` shows the table and the verdicts, a notebook a page with a figure.
    """

    def __init__(self, analysed: Analysed) -> None:
        """Nothing is drawn before it is asked for."""
        self._analysed = analysed

    @property
    def results(self) -> Results:
        """Everything computed, as every report is made from."""
        return self._analysed.results

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """A row per pair of methods and condition, as in significance.csv."""
        return significance_table(self.results)

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """A row per method and condition, as in leaderboard.csv."""
        return leaderboard_table(self.results)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdicts in words, in the order of ``verdicts``."""
        return tuple(self.verdicts["sentence"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before an accuracy is trusted: missing runs, pairs that are none."""
        return (*self.results.warnings, *self._topics.warnings)

    @property
    def markdown(self) -> str:
        """The accuracy table as Markdown."""
        return accuracy_markdown(self.results, self.leaderboard)

    @property
    def latex(self) -> str:
        """The accuracy table as LaTeX, for booktabs and siunitx."""
        return accuracy_latex(self.results, self.leaderboard)

    @cached_property
    def figures(self) -> dict[str, Picture]:
        """The figures of the report by name; a notebook shows one that ends a cell."""
        with styled():
            return {picture.name: picture for picture in self._drawn()}

    def write(self, out: str | Path, only: str | None = None) -> tuple[Path, ...]:
        """Write the report that ``nlbench compare FILE --out DIR`` writes; return its files.

        Args:
            out: folder, made if it is not there.
            only: ``leaderboard`` (CSV files), ``tables`` (Markdown, LaTeX) or ``figures``.

        Raises:
            ReportError: an unknown part, or a folder that cannot be written.
        """
        return write_results(self.results, Path(out), only).built.files

    @cached_property
    def _topics(self) -> Topics:
        return Topics(self.results)

    def _drawn(self) -> Iterator[Picture]:
        for plan in planned(self.results, self._topics.figures):
            yield Picture(plan.name, plan.caption, plan.figure)

    def __repr__(self) -> str:
        results = self.results
        block = results.blocks[0]
        seeds = len({seed for cell in block.declared() for seed in cell.seeds})
        return (
            f"<Compared {results.study.name}: {plural(len(block.methods), 'method')} against"
            f" {listing(sorted(results.baseline))}, {plural(len(block.conditions), 'condition')},"
            f" {plural(seeds, 'seed')}; print() shows the verdicts>"
        )

    def __str__(self) -> str:
        return self._analysed.text(terminal_text(self.results, self.leaderboard, self.warnings))

    def _repr_html_(self) -> str:
        block = self.results.blocks[0]
        grid = accuracy_grid(block, self.leaderboard)
        *under, _ = words_under(self.results, block, grid)  # without the notes
        against = [v for v in self.results.in_block(block) if v.b in self.results.baseline]
        lines = [verdict.sentence() for verdict in against[:SENTENCES]]
        if len(against) > SENTENCES:
            lines.append(f"... {len(against)} in all: .verdicts")
        notes = bullets(f"Note: {line}." for line in self.warnings)
        title = f"**{escape(self.results.study.title)}**"
        parts = [title, grid_table(self.results, block, grid), *under, bullets(lines), notes]
        _, text = markdown_html("\n\n".join(parts), "accuracy")
        return text + self._first_figure()

    def _first_figure(self) -> str:
        with styled():
            picture = next(self._drawn(), None)
        if picture is None:
            return ""
        data = base64.b64encode(picture._repr_png_()).decode("ascii")
        alt = html.escape(picture.caption)
        return f'<img alt="{alt}" src="data:image/png;base64,{data}" style="max-width: 100%">\n'


def compare(
    table: Given,
    baseline: str | None = None,
    *,
    accuracy: str | None = None,
    difference: float = 0.5,
    unit: str | None = None,
    num_classes: int | None = None,
    common: bool = False,
) -> Compared:
    """Compare methods over seeds, as ``nlbench compare`` and every report do.

    >>> import nlbench
    >>> scores = {"ce": [70.1, 71.0, 69.4], "mine": [73.2, 74.5, 72.4]}
    >>> rows = [
    ...     {"method": method, "condition": "symmetric:0.4", "seed": seed, "accuracy": value}
    ...     for method, values in scores.items()
    ...     for seed, value in enumerate(values)
    ... ]
    >>> found = nlbench.compare(rows, baseline="ce")
    >>> found
    <Compared table: 2 methods against ce, 1 condition, 3 seeds; print() shows the verdicts>
    >>> found.verdicts[["a", "b", "estimate", "words"]].values.tolist()
    [['mine', 'ce', 3.2, 'better']]

    Args:
        table: a row per run: a DataFrame, a list of rows or a mapping of columns with method,
            condition, seed and accuracy, what ``load`` returned, or the path of a CSV file.
            Rows of one condition and seed are compared as a pair; where the fingerprints of the
            runs are among the columns, as ``load`` has them, only if they agree.
        baseline: method that the others are compared with; the first one by default.
        accuracy: column of the accuracies; by default ``accuracy``, else ``last``.
        difference: smallest difference that matters, in points.
        unit: of the accuracies, ``percent`` or ``fraction``; by default fractions if none is
            above 1.
        num_classes: of the data, for the level of chance; read from the column of that name.
        common: whether to compare over the seeds that all methods of a condition have.

    Returns:
        Verdicts, tables and figures.

    Raises:
        UserError, ReportError: both are a ValueError; the line names row and value.
    """
    if isinstance(table, str | Path):
        read = read_table(Path(table), unit)
    else:
        frame = _frame(table)
        read = frame_table(frame, accuracy, unit, str(frame.attrs.get("study", "table")))
        baseline = _label(read, frame, baseline)
        num_classes = _classes(frame) if num_classes is None else num_classes
    return Compared(analyse(read, Wanted(baseline, difference, num_classes), common))


def _frame(table: Any) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, Mapping) or (
        isinstance(table, list | tuple) and all(isinstance(row, Mapping) for row in table)
    ):
        try:
            return pd.DataFrame(table)
        except ValueError as error:
            raise UserError(f"table: {error}") from None
    raise UserError(
        f"table of type {type(table).__name__}: should be a DataFrame, rows or columns of one, or"
        " the path of a CSV file"
    )


def _label(table: Table, frame: pd.DataFrame, name: str | None) -> str | None:
    """How the table calls the baseline; what ``load`` returns has the methods' names beside it."""
    if name is None or name in table.methods or "method_name" not in frame:
        return name
    labels = frame.loc[frame["method_name"] == name, "method"].unique()
    return str(labels[0]) if len(labels) == 1 else name


def _classes(frame: pd.DataFrame) -> int | None:
    """The number of classes where the rows have one and the same."""
    if "num_classes" not in frame:
        return None
    found = frame["num_classes"].dropna().unique()
    return int(found[0]) if len(found) == 1 else None
