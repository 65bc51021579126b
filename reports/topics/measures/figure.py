"""Further measures as dot plots, one figure a measure, a panel a condition."""

from __future__ import annotations

from collections.abc import Iterator

from nlbench.reports.compare.results import Results
from nlbench.reports.figures.dots import Dot, dots_figure
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import sample, setting, shown_words
from nlbench.reports.topics.measures.compare import Found
from nlbench.reports.topics.measures.page import better, direction

WIDE = 5  # panels


def figures(results: Results, found: Found, block: Block | None) -> Iterator[Planned]:
    """The measures of a block, as far as there are runs."""
    for one in found:
        if one.block is not block:
            continue
        chosen = one.block.conditions[:WIDE]
        columns = {
            pretty_condition(condition.line): [
                Dot.of(cell.method, cell.method, cell, cell.method in best, one.metric.shown_bounds)
                for cell in one.in_condition(condition)
                if cell.summary.n
            ]
            for condition in chosen
            for best in [one.best(condition).members]
        }
        methods = one.block.methods
        figure = dots_figure(columns, methods, methods, better(one.metric), line=None)
        if figure is not None:
            yield Planned(
                f"measure-{_stem(one.metric.name)}",
                f"{direction(one.metric)} on {setting(results, one.block)}. Mean with 95 % Student"
                f" interval over {sample(one.cells.values(), 'seed')}, grey dots are single runs; a"
                " filled marker is in the 95 % best set."
                f"{shown_words(len(chosen), len(one.block.conditions), 0, 0)}",
                figure,
            )


def _stem(name: str) -> str:
    """A name as part of that of a file: the colon of ``module:name`` is none on Windows."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "_") else "-" for c in name)
