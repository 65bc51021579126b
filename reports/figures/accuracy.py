"""Accuracy against noise rate, a panel per noise type."""

from __future__ import annotations

import math
from itertools import chain, pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nlbench.reports.figures.style import Frame, Look, align, legend, looks, panels
from nlbench.reports.read.cells import Block, Condition

FRAME = Frame(panel=(2.15, 1.75))
PER_ROW = 4


def accuracy_figure(block: Block) -> Figure | None:
    """Mean accuracy and its 95 % Student interval over seeds against the nominal noise rate.

    Clean labels are rate 0 of every panel. Markers of one rate are beside each other so that
    intervals can be read; a hollow marker is an incomplete cell.

    Returns:
        The figure, ``None`` where no condition has a rate.
    """
    types = [kind for kind in block.noise_types if kind != "clean"] or ["clean"]
    shown = {kind: _conditions(block, kind) for kind in types}
    shown = {kind: found for kind, found in shown.items() if found}
    if not shown:
        return None
    columns = min(PER_ROW, len(shown))
    rows = math.ceil(len(shown) / columns)
    # All panels have the same limits, ticks and steps, so that slopes can be compared.
    rates = sorted({c.nominal or 0.0 for found in shown.values() for c in found})
    gap = min((b - a for a, b in pairwise(rates)), default=0.2)
    step = min(0.012, 0.5 * gap / max(1, len(block.methods)))
    figure, grid = panels(rows, columns, FRAME, len(block.methods))
    for index, axes in enumerate(chain.from_iterable(grid)):
        if index >= len(shown):
            axes.set_visible(False)
            continue
        kind = list(shown)[index]
        _panel(axes, block, shown[kind], step)
        axes.set_title(kind.replace(":", " "))
        if index % columns == 0:
            axes.set_ylabel("test accuracy (%)")
        if index + columns >= len(shown):
            axes.set_xlabel("nominal noise rate")
    align(grid)
    for axes in chain.from_iterable(grid):
        axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    legend(figure, block.methods)
    return figure


def _conditions(block: Block, kind: str) -> list[Condition]:
    chosen = {c.line: c for k in ("clean", kind) for c in block.family(k)}
    return [c for c in chosen.values() if c.nominal is not None]


def _panel(axes: Axes, block: Block, conditions: list[Condition], step: float) -> None:
    look = looks(block.methods)
    for i, method in enumerate(block.methods):
        offset = step * (i - (len(block.methods) - 1) / 2)
        _series(axes, block, conditions, method, look[method], offset)


def _series(
    axes: Axes,
    block: Block,
    conditions: list[Condition],
    method: str,
    look: Look,
    offset: float,
) -> None:
    points = []
    for condition in conditions:
        cell = block.cells.get((method, condition.line))
        if cell is not None and cell.summary.mean is not None:
            points.append((float(condition.nominal or 0.0) + offset, cell))
    x = [at for at, _ in points]
    y = [cell.summary.mean or 0.0 for _, cell in points]
    axes.plot(x, y, color=look.colour, linestyle=look.line, linewidth=1.2, zorder=2)
    # Intervals are cut at what an accuracy can be; one seed has none.
    low = [max(cell.summary.low if cell.summary.low is not None else m, 0.0)
           for m, (_, cell) in zip(y, points, strict=True)]  # fmt: skip
    high = [min(cell.summary.high if cell.summary.high is not None else m, 100.0)
            for m, (_, cell) in zip(y, points, strict=True)]  # fmt: skip
    if any(b > a for a, b in zip(low, high, strict=True)):
        axes.errorbar(
            x,
            y,
            [np.subtract(y, low), np.subtract(high, y)],
            fmt="none",
            ecolor=look.colour,
            elinewidth=1.1,
            capsize=2.5,
            zorder=2,
        )
    for complete in (True, False):
        at = [i for i, (_, cell) in enumerate(points) if cell.complete is complete]
        axes.plot(
            [x[i] for i in at],
            [y[i] for i in at],
            look.marker,
            color=look.colour,
            markerfacecolor=look.colour if complete else "white",
            markeredgewidth=1.0,
            zorder=3,
        )
