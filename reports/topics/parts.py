"""Parts of pages that topics share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.measured import bounded, counted
from nlbench.reports.render.caption import RULE_WORDS, sample, seed_words
from nlbench.reports.render.latex import HEAD, label, pages
from nlbench.reports.render.markdown import bullets
from nlbench.reports.stats import mean_interval
from nlbench.reports.text import NONE, interval, number

SENTENCES = 60


def section(title: str, file: str, lines: Sequence[str], level: int) -> list[str]:
    """Part of the index page: sentences, and where the rest is."""
    listed = [bullets(lines)] if lines else []
    return [f"{'#' * level} {title}", *listed, f"Tables and all comparisons: [{file}]({file})."]


def first_bullets(lines: Sequence[str], file: str) -> list[str]:
    """The first SENTENCES lines as a list, and in which file the others are."""
    if not lines:
        return []
    rest = len(lines) - SENTENCES
    return [bullets(lines[:SENTENCES]), *([f"{rest} more: {file}."] if rest > 0 else [])]


def openings(names: Iterable[str]) -> Iterator[bool]:
    """For each name whether it differs from the one before: repeated names are left blank."""
    before = ""
    for name in names:
        yield name != before
        before = name


def spread(mean: float | None, sd: float | None, digits: int = 2) -> str:
    """``0.43 ± 0.02``, ``0.43`` without a standard deviation, ``–`` without a mean."""
    return number(mean, digits) + ("" if sd is None else f" ± {number(sd, digits)}")


def spread_of(values: NDArray[np.float64], digits: int = 2) -> str:
    """:func:`spread` over those of the values that are numbers."""
    found = mean_interval(values[np.isfinite(values)])
    return spread(found.mean, found.sd, digits)


def value(cell: Cell, digits: int = 2) -> str:
    """``93.1 ± 0.2``, with ``(3/5)`` where runs are missing."""
    mean, sd, there = cell.summary.mean, cell.summary.sd, counted(cell)
    text = NONE if mean is None else f"{number(mean, digits)} ± {number(sd, digits)}"
    return f"{text} ({there})" if there else text


def percent_interval(cell: Cell, digits: int = 2) -> str:
    """``[92.9, 93.3]``, cut at 0 and 100."""
    low, high = bounded(cell.summary) or (None, None)
    return interval(low, high, digits) or NONE


def about(results: Results, cells: Sequence[Cell]) -> tuple[str, str, str]:
    """What every caption states: epochs, accuracy rule, and how many seeds of what."""
    ids = {run_id for cell in cells for run_id in cell.run_ids}
    blocks = [b for b in results.blocks if any(r in ids for c in b.declared() for r in c.run_ids)]
    epochs = sorted({spec.recipe.epochs for spec in results.study.specs if spec.run_id in ids})
    return (
        f"{'/'.join(map(str, epochs))} epochs",
        f"accuracy rule {results.rule} ({RULE_WORDS[results.rule]})",
        f"{sample(cells, 'seed')} ({seed_words(results, blocks)}",
    )


def latex_tables(
    results: Results,
    file: str,
    heads: Sequence[str],
    tables: Iterable[tuple[Block, Sequence[str], Iterable[list[list[str]]]]],
    size: str = "scriptsize",
) -> str:
    """A file of LaTeX tables.

    Args:
        results: of the study.
        file: name of the file, part of the labels.
        heads: of the columns; the first three are left-aligned.
        tables: block, sentences of the caption and, for each condition, rows of TeX.
        size: of the letters.
    """
    floats = [HEAD]
    for block, sentences, conditions in tables:
        body: list[list[str]] = []
        for lines in conditions:
            body += [[], *lines] if body and lines else lines
        name = label(results, file, block)
        floats.append(pages(" ".join(sentences), name, heads, 3, body, size))
    return "\n".join(floats)
