"""Memorisation curves: what a network learns of clean and of flipped labels, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmark.record import CURVES
from reports.cells import Block, Condition
from reports.figures.style import Frame, grey_axis, legend, looks, panels
from reports.labels import pretty_condition
from reports.results import Results

PANELS_WIDE = 6
FRAME = Frame(panel=(1.75, 1.15), left=0.8, across=0.14, down=0.16)
ROWS = (
    ("test_accuracy", "test accuracy (%)"),
    ("clean_fit", "clean samples\nfitted (%)"),
    ("flipped_fit_given", "flipped samples\nmemorised (%)"),
    ("flipped_fit_true", "flipped samples\ncorrected (%)"),
)
DRAINAGE = ("drainage_clean", "drainage_flipped")
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

    Rows: test accuracy; clean training samples predicted as labelled; flipped ones predicted as
    their given (wrong) label; flipped ones predicted as their true label; drainage mass where a
    method has a drainage output. Mean over seeds, shaded: one standard deviation.
    """
    noisy = [c for c in block.conditions if c.type != "clean"] or list(block.conditions)
    groups = {"memorisation": noisy}
    if len(noisy) > PANELS_WIDE:
        groups = {}
        for kind in dict.fromkeys(c.type for c in noisy):
            groups[f"memorisation-{_slug(kind)}"] = [c for c in noisy if c.type == kind]
    figures = {}
    for name, conditions in groups.items():
        figure = _figure(results, block, conditions)
        if figure is not None:
            figures[name] = figure
    return figures


def bands(results: Results, block: Block, condition: Condition, curve: str) -> dict[str, Band]:
    """Method -> mean and spread of one curve over seeds, in percent; methods without it left out."""
    row = CURVES.index(curve)
    runs = results.frame.runs
    runs = runs[(runs["block"] == block.index) & (runs["condition"] == condition.line)]
    found = {}
    for method in block.methods:
        ids = runs.loc[runs["method"] == method, "run_id"]
        curves = [c[row] for i in ids if (c := results.frame.curves.get(str(i))) is not None]
        curves = [c for c in curves if not np.isnan(c).all()]
        if curves:
            found[method] = _band(curves)
    return found


def _band(curves: Sequence[NDArray[np.float32]]) -> Band:
    length = max(len(curve) for curve in curves)
    table = np.full((len(curves), length), np.nan)
    for i, curve in enumerate(curves):
        table[i, : len(curve)] = 100 * curve.astype(np.float64)
    there = ~np.isnan(table)
    count = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, table, 0.0).sum(axis=0) / count
    squares = np.where(there, (table - mean) ** 2, 0.0).sum(axis=0)
    sd = np.sqrt(squares / np.maximum(count - 1, 1))
    known = there.any(axis=0)
    return Band(np.where(known, mean, np.nan), np.where(known, sd, np.nan))


def _figure(results: Results, block: Block, conditions: Sequence[Condition]) -> Figure | None:
    rows = [(title, (curve,)) for curve, title in ROWS] + [("drainage mass (%)", DRAINAGE)]
    data = {
        (title, c.line): {curve: bands(results, block, c, curve) for curve in curves}
        for title, curves in rows
        for c in conditions
    }
    rows = [
        (title, curves)
        for title, curves in rows
        if any(found for c in conditions for found in data[title, c.line].values())
    ]
    if not rows:
        return None
    figure, grid = panels(
        len(rows), len(conditions), FRAME, len(block.methods), share=(True, "row")
    )
    for i, (title, _) in enumerate(rows):
        for j, condition in enumerate(conditions):
            axes = grid[i][j]
            _panel(axes, block, data[title, condition.line])
            if i == 0:
                axes.set_title(pretty_condition(condition.line).replace(" (", "\n("))
            if j == 0:
                axes.set_ylabel(title)
            if i + 1 == len(rows):
                axes.set_xlabel("epoch")
        if title.startswith("drainage"):
            _two_lines_key(grid[i][0])
    figure.align_ylabels()
    legend(figure, block.methods, markers=False)
    return figure


def _panel(axes: Axes, block: Block, curves: dict[str, dict[str, Band]]) -> None:
    look = looks(block.methods)
    pair = len(curves) > 1
    for curve, found in curves.items():
        for method, band in found.items():
            epochs = np.arange(1, len(band.mean) + 1)
            dashed = "--" if curve.endswith("clean") else "-"
            line = dashed if pair else look[method].line
            colour = look[method].colour
            axes.plot(epochs, band.mean, color=colour, linestyle=line, linewidth=1.4)
            low, high = band.mean - band.sd, band.mean + band.sd
            axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
    grey_axis(axes)


def _two_lines_key(axes: Axes) -> None:
    axes.plot([], [], color="#444444", linestyle="-", label="flipped")
    axes.plot([], [], color="#444444", linestyle="--", label="clean")
    axes.legend(loc="best", fontsize=7.5, handlelength=2.2)


def _slug(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)
