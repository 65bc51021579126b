"""Paired differences seed by seed: what pairing is about, before any mean is taken."""

from __future__ import annotations

import math
from itertools import chain

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from nlbench.reports.compare.pairing import match
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.style import Frame, align, legend, looks, panels
from nlbench.reports.read.cells import Block, Condition, few_rates
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.text import listing

PER_ROW = 4
MOST = 12  # panels
JOINED = 20  # seeds; more lines are a grey area
FRAME = Frame(panel=(1.75, 1.45), left=0.75, across=0.16, down=0.4, bottom=0.3)


def paired_figure(results: Results, block: Block) -> Figure | None:
    """Difference to the baseline of every seed, a panel a condition, methods side by side.

    A grey line joins the methods of one seed: where the lines run side by side, seeds that are
    lucky for one method are lucky for the others too. The bar is the mean. Pairs whose fingerprints
    differ are left out. Of many conditions the lowest, middle and highest rate of each noise type.

    Returns:
        The figure, ``None`` without a baseline that others can be paired with.
    """
    base = [m for m in block.methods if m in results.baseline]
    others = [m for m in block.methods if m not in results.baseline]
    shown = {c: f for c in _chosen(block) if (f := _differences(block, c, base, others))}
    if not shown:
        return None
    columns = min(PER_ROW, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure, grid = panels(rows, columns, FRAME, len(others))
    for at, axes in enumerate(chain.from_iterable(grid)):
        if at >= len(shown):
            axes.set_visible(False)
            continue
        condition = list(shown)[at]
        _panel(axes, block, others, shown[condition])
        axes.set_title(pretty_condition(condition.line).replace(" (", "\n("))
        if at % columns == 0:
            axes.set_ylabel(f"difference to\n{listing(base)} (points)")
    align(grid)
    for axes in chain.from_iterable(grid):
        axes.set_xticks([])
    legend(figure, block.methods, only=others)
    return figure


def _chosen(block: Block) -> list[Condition]:
    few = len(block.conditions) <= MOST
    return list(block.conditions if few else few_rates(block.conditions)[:MOST])


def _differences(
    block: Block, condition: Condition, base: list[str], others: list[str]
) -> dict[str, dict[int, float]]:
    """Method -> seed -> difference to the (first) baseline, of paired cells."""
    found = {}
    reference = block.cells.get((base[0], condition.line)) if base else None
    for method in others if reference is not None else ():
        cell = block.cells.get((method, condition.line))
        if cell is None or reference is None:
            continue
        pairing = match(cell, reference)
        if pairing.paired and pairing.seeds:
            gaps = (pairing.a - pairing.b).tolist()
            found[method] = dict(zip(pairing.seeds, gaps, strict=True))
    return found


def _panel(axes: Axes, block: Block, others: list[str], found: dict[str, dict[int, float]]) -> None:
    look = looks(block.methods)
    place = {method: at for at, method in enumerate(others)}
    seeds = sorted({seed for gaps in found.values() for seed in gaps})
    if len(seeds) <= JOINED:
        lines = [
            [(place[m], gaps[seed]) for m, gaps in found.items() if seed in gaps] for seed in seeds
        ]
        axes.add_collection(LineCollection(lines, colors="#bbbbbb", linewidths=0.7, zorder=1))
    axes.axhline(0, color="#444444", linewidth=0.8, zorder=1.5)
    size = 4.5 if len(seeds) <= JOINED else 2.0
    for method, gaps in found.items():
        values = np.array(list(gaps.values()))
        at, style = place[method], look[method]
        axes.plot(
            np.full(len(values), at), values, style.marker, color=style.colour, markersize=size,
            markerfacecolor="none", markeredgewidth=0.9, zorder=2,
        )  # fmt: skip
        mean = [values.mean()] * 2
        axes.plot([at - 0.3, at + 0.3], mean, color=style.colour, linewidth=2.2, zorder=3)
    axes.set_xlim(-0.6, len(others) - 0.4)
