"""Open-set recognition as figures: ROC and OSCR curves, AUROC of every score, change by noise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from nlbench.reports.compare.results import Results
from nlbench.reports.figures.dots import Dot, dots_figure
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.figures.intervals import QUARTERS, Floats, band, curve_panel
from nlbench.reports.figures.style import Frame, align, legend, panels
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import sample, setting, shown_words
from nlbench.reports.topics.open_set.compare import Found, Verdicts, change
from nlbench.reports.topics.open_set.find import RULE, Protocol

FRAME = Frame(panel=(2.5, 2.0), left=0.75, across=0.2, down=0.2)
WIDE = 5  # panels
MOST_LINES = 8
MOST_DOTS = 60
SHARES = np.linspace(0, 100, 101)
ROWS = ((0, "known images accepted (%)"), (1, "accepted and right (%)"))


def figures(results: Results, found: Found, block: Block | None) -> Iterator[Planned]:
    """The figures of a block, as far as there are runs."""
    for protocol, verdicts in found:
        if protocol.block is block:
            yield from _of_protocol(results, protocol, verdicts)


def _of_protocol(results: Results, protocol: Protocol, verdicts: Verdicts) -> Iterator[Planned]:
    where = f"{setting(results, protocol.block)}; {protocol.unknowns}"
    n = sample([c for c in protocol.cells.values() if c.summary.n], protocol.unit)
    count = len(protocol.conditions)
    curves = _curves(protocol)
    if curves is not None:
        kept = shown_words(WIDE, count, len(_few(protocol)), len(protocol.methods))
        yield Planned(
            "openset-curves",
            f"Open-set recognition on {where}. Above: ROC curves (known images accepted against"
            " unknown ones accepted; dotted: chance); below: OSCR curves (known images accepted and"
            " rightly classified). Declared scores (p_d with an extra output, MSP without); mean"
            f" and pointwise 95 % Student interval over {n}.{kept}",
            curves,
        )
    dots = _dots(protocol)
    if dots is not None:
        yield Planned(
            "openset-auroc",
            f"AUROC of every method and score on {where}. Mean with 95 % Student interval over {n},"
            " grey dots are single runs; filled markers are the declared scores, the only ones that"
            f" are compared; the dashed line is chance.{shown_words(WIDE, count, 0, 0)}",
            dots,
        )
    changes = _noise(protocol, verdicts)
    if changes is not None:
        yield Planned(
            "openset-noise",
            f"What noisy training labels do to AUROC on {where}: noisy minus clean of the same"
            f" {protocol.unit}, declared scores, mean and 95 % Student interval over {n}, grey dots"
            f" are single pairs; a filled marker is decided by the {results.test.title} after Holm."
            f"{shown_words(WIDE, len({c.condition for c in verdicts.noise}), 0, 0)}",
            changes,
        )


def _few(protocol: Protocol) -> list[str]:
    return list(protocol.methods[:MOST_LINES])


def _curves(protocol: Protocol) -> Figure | None:
    every = {c: _found(protocol, c.line) for c in protocol.conditions[:WIDE]}
    conditions = [condition for condition, curves in every.items() if curves]
    if not conditions:
        return None
    figure, grid = panels(len(ROWS), len(conditions), FRAME, len(_few(protocol)))
    for at, (row, title) in enumerate(ROWS):
        for column, condition in enumerate(conditions):
            axes = grid[at][column]
            shown = {m: band(SHARES, 100 * c[:, row]) for m, c in every[condition].items()}
            curve_panel(axes, protocol.methods, shown)
            if row == 0:
                axes.plot([0, 100], [0, 100], ":", color="#888888", linewidth=1, zorder=1)
                axes.set_title(f"labels: {pretty_condition(condition.line)}")
            if column == 0:
                axes.set_ylabel(title)
            if at + 1 == len(ROWS):
                axes.set_xlabel("unknown images accepted (%)")
            axes.xaxis.set_major_locator(QUARTERS)
            axes.yaxis.set_major_locator(QUARTERS)
    align(grid, rows_apart=True)
    figure.align_ylabels()
    legend(figure, protocol.methods, markers=False, only=_few(protocol))
    return figure


def _found(protocol: Protocol, line: str) -> dict[str, Floats]:
    """Method -> curves of the declared score, where there are runs."""
    there = [m for m in _few(protocol) if (m, line) in protocol.block.cells]
    curves = {method: protocol.curves(method, line) for method in there}
    return {method: found for method, found in curves.items() if len(found)}


def _dots(protocol: Protocol) -> Figure | None:
    every = [(m, s) for m in protocol.methods for s in protocol.scores[m] if s != RULE]
    shown = (
        every if len(every) <= MOST_DOTS else [(m, protocol.declared(m)) for m in protocol.methods]
    )
    if len(shown) > MOST_DOTS:
        return None
    columns = {}
    for condition in protocol.conditions[:WIDE]:
        dots = []
        for method, score in shown:
            cell = protocol.cell(method, condition.line, score)
            if cell is not None and cell.summary.n:
                filled = score == protocol.declared(method)
                dots.append(Dot.of(protocol.label(method, score), method, cell, filled))
        if dots:
            columns[f"labels: {pretty_condition(condition.line)}"] = dots
    rows = [protocol.label(method, score) for method, score in shown]
    return dots_figure(columns, rows, protocol.methods, "AUROC (%)", line=50.0)


def _noise(protocol: Protocol, verdicts: Verdicts) -> Figure | None:
    if len(protocol.methods) > MOST_DOTS:
        return None
    columns: dict[str, list[Dot]] = {}
    for comparison in verdicts.noise:
        method = next(m for m in protocol.methods if protocol.label(m) == comparison.a)
        cell = change(protocol, method, comparison.condition)
        if cell is None or cell.summary.mean is None:
            continue
        title = f"{pretty_condition(comparison.condition)} − clean"
        if len(columns) == WIDE and title not in columns:
            continue
        columns.setdefault(title, []).append(
            Dot(
                row=comparison.a,
                method=method,
                mean=cell.summary.mean,
                low=cell.summary.low,
                high=cell.summary.high,
                runs=tuple(float(v) for v in cell.values[cell.known]),
                filled=comparison.decided,
            )
        )
    rows = [protocol.label(method) for method in protocol.methods]
    return dots_figure(columns, rows, protocol.methods, "change of AUROC (points)", line=0.0)
