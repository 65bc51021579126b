"""Memorisation curves: what a network learns of clean and of flipped labels, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nlbench.benchmark.store import names
from nlbench.benchmark.store.record import CURVES
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.style import Frame, Line, align, few_ticks, legend, looks, panels
from nlbench.reports.read.cells import Block, Condition, few_rates
from nlbench.reports.read.names import pretty_condition

PANELS_WIDE = 6
FRAME = Frame(panel=(1.75, 1.15), left=0.8, across=0.14, down=0.16)
ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("test accuracy (%)", ("test_accuracy",)),
    ("clean samples\nfitted (%)", ("clean_fit",)),
    ("flipped samples\nmemorised (%)", ("flipped_fit_given",)),
    ("flipped samples\ncorrected (%)", ("flipped_fit_true",)),
    ("extra output (%)", (names.MEAN_CLEAN, names.MEAN_FLIPPED)),
)
CLEAN: Line = (0, (4, 2))
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Mean and spread of one curve over the seeds of a cell.

    Attributes:
        mean: (epochs,) percent.
        sd: (epochs,) percent, 0 with one seed.
    """

    mean: Floats
    sd: Floats


def memorisation_figures(results: Results, block: Block) -> dict[str, Figure]:
    """Name -> figure; one for the whole block, or one per noise type where it would be too wide.

    The latter show the lowest, the middle and the highest rate.

    Rows: test accuracy; clean training samples predicted as labelled; flipped ones predicted as
    their given (wrong) label; flipped ones predicted as their true label; the extra output where a
    method has one. Mean over seeds, shaded: one standard deviation.
    """
    noisy = [c for c in block.conditions if c.type != "clean"] or list(block.conditions)
    groups: dict[str, Sequence[Condition]] = {"memorisation": noisy}
    if len(noisy) > PANELS_WIDE:
        groups = {}
        for kind in dict.fromkeys(c.type for c in noisy):
            groups[f"memorisation-{_slug(kind)}"] = few_rates([c for c in noisy if c.type == kind])
    figures = {}
    for name, conditions in groups.items():
        figure = _figure(results, block, conditions)
        if figure is not None:
            figures[name] = figure
    return figures


def bands(results: Results, block: Block, condition: Condition) -> dict[str, dict[str, Band]]:
    """Curve -> method -> mean and spread over seeds, in percent; none where there is none."""
    found: dict[str, dict[str, Band]] = {name: {} for name in CURVES}
    for method in block.methods:
        cell = block.cells.get((method, condition.line))
        ids = cell.run_ids if cell is not None else ()
        curves = [c for i in ids if (c := results.frame.curves.get(i)) is not None]
        if not curves:
            continue
        # A run that diverged has fewer epochs.
        table = np.full((len(curves), len(CURVES), max(c.shape[1] for c in curves)), np.nan)
        for i, curve in enumerate(curves):
            table[i, :, : curve.shape[1]] = 100 * curve.astype(np.float64)
        mean, sd = _moments(table)
        for row, name in enumerate(CURVES):
            if not np.isnan(mean[row]).all():
                found[name][method] = Band(mean[row], sd[row])
    return found


def _moments(table: Floats) -> tuple[Floats, Floats]:
    """Mean and SD (n - 1) over the first axis, NaN left out, without warnings for empty ones."""
    there = ~np.isnan(table)
    count = there.sum(axis=0)
    mean = np.where(there, table, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(there, (table - mean) ** 2, 0.0).sum(axis=0)
    sd = np.sqrt(squares / np.maximum(count - 1, 1))
    return np.where(count > 0, mean, np.nan), np.where(count > 0, sd, np.nan)


def _figure(results: Results, block: Block, conditions: Sequence[Condition]) -> Figure | None:
    data = {c.line: bands(results, block, c) for c in conditions}
    rows = [
        (title, curves)
        for title, curves in ROWS
        if any(data[c.line][curve] for c in conditions for curve in curves)
    ]
    if not rows:
        return None
    figure, grid = panels(len(rows), len(conditions), FRAME, len(block.methods))
    for i, (title, curves) in enumerate(rows):
        for j, condition in enumerate(conditions):
            axes = grid[i][j]
            _panel(axes, block, {curve: data[condition.line][curve] for curve in curves})
            if i == 0:
                axes.set_title(pretty_condition(condition.line).replace(" (", "\n("))
            if j == 0:
                axes.set_ylabel(title)
            if i + 1 == len(rows):
                axes.set_xlabel("epoch")
        if title.startswith("extra"):
            _two_lines_key(grid[i][0])
    align(grid, rows_apart=True)
    figure.align_ylabels()
    legend(figure, block.methods, markers=False)
    return figure


def _panel(axes: Axes, block: Block, curves: dict[str, dict[str, Band]]) -> None:
    """All lines and all bands of a panel as two collections: one artist a line is slow to draw."""
    look = looks(block.methods)
    pair = len(curves) > 1
    lines, areas, colours, styles = [], [], [], []
    points: list[tuple[Floats, str]] = []
    for curve, found in curves.items():
        for method, band in found.items():
            there = np.flatnonzero(~np.isnan(band.mean))
            epochs, mean, sd = there + 1.0, band.mean[there], band.sd[there]
            lines.append(np.column_stack([epochs, mean]))
            edge = np.concatenate([mean - sd, (mean + sd)[::-1]])
            areas.append(np.column_stack([np.concatenate([epochs, epochs[::-1]]), edge]))
            colours.append(look[method].colour)
            clean = pair and curve.endswith("clean")
            styles.append(CLEAN if clean else "-" if pair else look[method].line)
            if len(there) < len(band.mean):  # not taken after every epoch
                points.append((lines[-1], look[method].colour))
    if lines:
        axes.add_collection(
            PolyCollection(areas, facecolors=colours, alpha=0.15, linewidths=0, zorder=1.5)
        )
        axes.add_collection(
            LineCollection(lines, colors=colours, linestyles=styles, linewidths=1.4, zorder=2)
        )
    for line, colour in points:
        axes.plot(*line.T, ".", color=colour, markersize=3.5, zorder=2)
    few_ticks(axes)


def _two_lines_key(axes: Axes) -> None:
    axes.plot([], [], color="#444444", linestyle="-", label="flipped")
    axes.plot([], [], color="#444444", linestyle=CLEAN, label="clean")
    axes.legend(loc="best", fontsize=7.5, handlelength=2.2)


def _slug(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)
