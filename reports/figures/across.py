"""Across conditions: critical-difference picture and performance profile."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.figures.style import Frame, legend, looks, panels
from nlbench.reports.stats import performance_profile

ROW = 0.19  # inches
CHARACTER = 0.07  # inches of a method's name
BAR = 0.09  # inches between bars
PANEL = 3.2


def means_figure(whole: Overall) -> Figure:
    """Means over the conditions with their intervals, best first; bars join undecided pairs.

    A critical-difference picture with a row per method: of the methods on one bar no pair is
    decided by the test over seeds of its mean difference. Bars end at a method of the set, ticks
    are its members, for a set need not be contiguous.
    """
    methods = sorted(whole.methods, key=lambda m: m.mean.value, reverse=True)
    look = looks([m.method for m in whole.methods])
    groups = whole.groups
    left = 0.25 + CHARACTER * max(len(m.method) for m in methods)
    panel = (PANEL, ROW * len(methods) + 0.15)
    frame = Frame(panel=panel, left=left, right=0.3 + BAR * len(groups), top=0.1)
    figure, grid = panels(1, 1, frame, 0)
    axes = grid[0][0]
    for at, m in enumerate(methods):
        style = look[m.method]
        if m.mean.low is not None and m.mean.high is not None:
            ends = [max(m.mean.low, 0.0), min(m.mean.high, 100.0)]
            axes.plot(ends, [at, at], color=style.colour, linewidth=1.3)
        axes.plot(m.mean.value, at, style.marker, color=style.colour, markersize=4.8)
    place = {m.method: at for at, m in enumerate(methods)}
    across = axes.get_yaxis_transform()
    for number_, group in enumerate(groups, start=1):
        x, rows = 1 + number_ * BAR / PANEL, sorted(place[m] for m in group)
        axes.plot(
            [x] * len(rows), rows, "-_", color="#444444", linewidth=1.6, markersize=4,
            transform=across, clip_on=False,
        )  # fmt: skip
    axes.set_ylim(len(methods) - 0.4, -0.6)
    axes.set_yticks(range(len(methods)), [m.method for m in methods])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("mean test accuracy over conditions (%)")
    return figure


def profile_figure(whole: Overall) -> Figure:
    """Performance profile: share of all runs with at least so much accuracy (higher is better)."""
    names = [m.method for m in whole.methods]
    look = looks(names)
    figure, grid = panels(1, 1, Frame(panel=(4.2, 2.2), left=0.7, top=0.1), len(names))
    axes = grid[0][0]
    for i, method in enumerate(names):
        values, share = performance_profile([runs[i] for runs in whole.runs])
        axes.step(
            np.concatenate([values, values[-1:]]),
            100 * share,
            where="pre",
            color=look[method].colour,
            linestyle=look[method].line,
            linewidth=1.4,
        )
    axes.set_xlabel("test accuracy τ (%)")
    axes.set_ylabel("runs with accuracy ≥ τ (%)")
    axes.set_ylim(-3, 103)
    legend(figure, names, markers=False)
    return figure
