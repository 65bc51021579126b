"""Accuracy against noise rate, a panel per noise type."""

from __future__ import annotations

import math
from itertools import chain, pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.cells import Block, Condition
from reports.figures.style import Frame, Look, align, grey_axis, legend, looks, panels

FRAME = Frame(panel=(2.15, 1.75))
PER_ROW = 4


def accuracy_figure(block: Block) -> Figure | None:
    """Mean accuracy and its 95 % Student interval over seeds against the nominal noise rate.

    Clean labels are rate 0 of every panel. Markers of one rate stand beside each other so that
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
    figure, grid = panels(rows, columns, FRAME, len(block.methods))
    for index, axes in enumerate(chain.from_iterable(grid)):
        if index >= len(shown):
            axes.set_visible(False)
            continue
        kind = list(shown)[index]
        _panel(axes, block, shown[kind])
        axes.set_title(kind.replace(":", " "))
        if index % columns == 0:
            axes.set_ylabel("test accuracy (%)")
        if index + columns >= len(shown):
            axes.set_xlabel("nominal noise rate")
    # All panels have the same limits and ticks, so that slopes can be compared.
    rates = sorted({c.nominal or 0.0 for found in shown.values() for c in found})
    align(grid)
    for axes in chain.from_iterable(grid):
        axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    legend(figure, block.methods)
    return figure


def _conditions(block: Block, kind: str) -> list[Condition]:
    chosen = {c.line: c for k in ("clean", kind) for c in block.family(k)}
    return [c for c in chosen.values() if c.nominal is not None]


def _panel(axes: Axes, block: Block, conditions: list[Condition]) -> None:
    look = looks(block.methods)
    rates = sorted({c.nominal or 0.0 for c in conditions})
    gap = min((b - a for a, b in pairwise(rates)), default=0.2)
    step = min(0.012, 0.5 * gap / max(1, len(block.methods)))
    for i, method in enumerate(block.methods):
        offset = step * (i - (len(block.methods) - 1) / 2)
        _series(axes, block, conditions, method, look[method], offset)
    grey_axis(axes)


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
    for at, cell in points:
        s = cell.summary
        mean = s.mean or 0.0
        if s.low is not None and s.high is not None:
            # Cut at what an accuracy can be.
            low, high = max(s.low, 0.0), min(s.high, 100.0)
            axes.errorbar(
                at, mean, [[mean - low], [high - mean]], color=look.colour, linewidth=1.1,
                capsize=2.5, zorder=2,
            )  # fmt: skip
        face = look.colour if cell.complete else "white"
        axes.plot(
            at, mean, look.marker, color=look.colour, markerfacecolor=face, zorder=3,
            markeredgewidth=1.0,
        )  # fmt: skip
