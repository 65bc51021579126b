"""Across conditions: critical-difference diagram and performance profile."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.figures.style import Frame, legend, looks, panels
from nlbench.reports.stats import performance_profile


def ranks_figure(whole: Overall) -> Figure:
    """Mean ranks on a line, best left; bars join methods without a significant pair test.

    The bars come from tests over seeds of each pair's mean difference over these conditions, so
    they need not be contiguous; Nemenyi's critical difference is drawn for comparison only. The
    thin line through a marker is the bootstrap interval of the mean rank over seeds.
    """
    methods = sorted(whole.methods, key=lambda m: m.mean_rank.value)
    names = [m.method for m in whole.methods]
    look = looks(names)
    groups = whole.groups
    rows = len(methods) + len(groups) + 1.6
    frame = Frame(panel=(4.4, 0.2 * rows), left=0.25, right=1.2, top=0.1)
    figure, grid = panels(1, 1, frame, 0)
    axes = grid[0][0]
    for at, m in enumerate(methods):
        rank = m.mean_rank
        if np.isfinite(rank.low):
            axes.plot([rank.low, rank.high], [at, at], color=look[m.method].colour, linewidth=1.0)
        axes.plot(rank.value, at, look[m.method].marker, color=look[m.method].colour)
        axes.annotate(
            f"{m.method}  {rank.value:.2f}",
            (max(rank.value, rank.high if np.isfinite(rank.high) else 0), at),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    value = {m.method: m.mean_rank.value for m in methods}
    for at, group in enumerate(groups, start=len(methods)):
        ends = [min(value[m] for m in group), max(value[m] for m in group)]
        axes.plot(ends, [at, at], color="#444444", linewidth=3, solid_capstyle="butt")
        axes.plot([value[m] for m in group], [at] * len(group), "|", color="#444444", markersize=7)
    bottom = len(methods) + len(groups) + 0.2
    axes.plot([1, 1 + whole.critical_difference], [bottom] * 2, color="#999999", linewidth=1.2)
    axes.annotate(
        f"Nemenyi CD {whole.critical_difference:.2f}",
        (1 + whole.critical_difference, bottom),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
        color="#666666",
    )
    axes.set_ylim(bottom + 0.7, -0.7)
    axes.set_xlim(0.9, max(len(methods), 1 + whole.critical_difference) + 0.1)
    axes.set_xticks(range(1, len(methods) + 1))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("mean rank over conditions (1 = best)")
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
