"""Curves with pointwise intervals over runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray
from scipy.special import stdtrit

from nlbench.reports.figures.style import looks

Floats = NDArray[np.float64]
QUARTERS = FixedLocator([0, 25, 50, 75, 100])


@dataclass(frozen=True)
class Band:
    """Mean of a percentage and its pointwise 95 % Student interval, cut at 0 and 100.

    Attributes:
        x: (points,) where.
        mean: (points,).
        low: (points,), NaN where there are not two runs that differ.
        high: (points,).
    """

    x: Floats
    mean: Floats
    low: Floats
    high: Floats


def band(x: Floats, curves: Floats) -> Band:
    """The band of curves (n, points) in percent, NaN where a run has no value.

    Points at which no run has a value are left out.
    """
    there = ~np.isnan(curves)
    count = there.sum(axis=0)
    kept = count > 0
    count, there, curves = count[kept], there[:, kept], curves[:, kept]
    mean = np.where(there, curves, 0.0).sum(axis=0) / count
    squares = np.where(there, (curves - mean) ** 2, 0.0).sum(axis=0)
    spread = np.sqrt(squares / np.maximum(count - 1, 1) / count)
    spread = np.where(spread > 0, spread, np.nan)
    half = stdtrit(np.maximum(count - 1, 1), 0.975) * spread
    return Band(x[kept], mean, np.maximum(mean - half, 0.0), np.minimum(mean + half, 100.0))


def curve_panel(axes: Axes, methods: Sequence[str], found: Mapping[str, Band]) -> None:
    """A line and a band per method, in the looks that the method has everywhere.

    Args:
        axes: to draw into.
        methods: all methods of the block, whose positions decide their looks.
        found: those to draw.
    """
    look = looks(methods)
    for method, shown in found.items():
        style = look[method]
        axes.fill_between(
            shown.x, shown.low, shown.high, color=style.colour, alpha=0.13, linewidth=0, zorder=1.5
        )
        axes.plot(
            shown.x,
            shown.mean,
            color=style.colour,
            linestyle=style.line,
            marker=style.marker if len(shown.x) == 1 else "",
            linewidth=1.4,
            zorder=2,
        )
