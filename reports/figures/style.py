"""One look for every figure, readable in grey and by the colour-blind."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nlbench.noise import whole

Line = Literal["-"] | tuple[float, tuple[float, ...]]

# Okabe and Ito (2008), darkest first; yellow is left out (invisible on white).
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h")
LINES: tuple[Line, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1.5, 1.5)),
    (0, (5, 2, 1.5, 2)),
    (0, (3, 1.2, 1.2, 1.2, 1.2, 1.2)),
)
LEGEND_LINE = 0.22  # inches

_RC: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9.5,
    "axes.titley": 1.0,  # fixed: searching for space above every panel costs as much as drawing it
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.5,
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a method may be called $x$
    "savefig.dpi": 160,
    "xtick.color": "#444444",
    "xtick.labelcolor": "black",
    "xtick.labelsize": 8,
    "xtick.major.size": 3,
    "xtick.major.width": 0.6,
    "ytick.color": "#444444",
    "ytick.labelcolor": "black",
    "ytick.labelsize": 8,
    "ytick.major.size": 3,
    "ytick.major.width": 0.6,
}


@dataclass(frozen=True)
class Look:
    """How one method is drawn everywhere."""

    colour: str
    marker: str
    line: Line


def looks(methods: Sequence[str]) -> dict[str, Look]:
    """Colour, marker and line style by position, each distinct enough without the others."""
    return {
        method: Look(
            COLOURS[i % len(COLOURS)],
            MARKERS[i % len(MARKERS)],
            LINES[i % len(LINES)],
        )
        for i, method in enumerate(methods)
    }


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's defaults plus the look, whatever the user's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        for key, value in _RC.items():
            mpl.rcParams[key] = value  # type: ignore[index]
        yield


@dataclass(frozen=True)
class Frame:
    """Space around and between panels, in inches.

    Fixed distances instead of an automatic layout: that costs as much time as the drawing, and
    panels of different figures would not be of one size.
    """

    panel: tuple[float, float]
    left: float = 0.62
    right: float = 0.12
    top: float = 0.3
    bottom: float = 0.48
    across: float = 0.18
    down: float = 0.42


def panels(rows: int, columns: int, frame: Frame, methods: int) -> tuple[Figure, list[list[Axes]]]:
    """A figure of equal panels below a legend.

    Args:
        rows: of panels.
        columns: of panels.
        frame: sizes.
        methods: entries of the legend.
    """
    width = max(frame.left + columns * frame.panel[0] + (columns - 1) * frame.across, 3.4)
    width += frame.right
    lines = math.ceil(methods / _legend_columns(width, methods)) if methods else 0
    top = frame.top + LEGEND_LINE * lines
    height = top + rows * frame.panel[1] + (rows - 1) * frame.down + frame.bottom
    figure = Figure(figsize=(width, height))
    grid = figure.subplots(
        rows,
        columns,
        squeeze=False,
        gridspec_kw={
            "left": frame.left / width,
            "right": 1 - frame.right / width,
            "bottom": frame.bottom / height,
            "top": 1 - top / height,
            "wspace": frame.across / frame.panel[0],
            "hspace": frame.down / frame.panel[1],
        },
    )
    return figure, [list(row) for row in grid]


def align(grid: Sequence[Sequence[Axes]], rows_apart: bool = False) -> None:
    """Give panels the same limits, with axes drawn only at the outer ones.

    Matplotlib's shared axes would do it, but rescale all siblings at every line drawn; and ticks
    are most of what a small panel costs, so that inner panels have grid lines only.

    Args:
        grid: panels, row by row; invisible ones are left out.
        rows_apart: whether each row has y limits of its own.
    """
    shown = [[axes for axes in row if axes.get_visible()] for row in grid]
    everywhere = [axes for row in shown for axes in row]
    for at, row in enumerate(shown):
        below = shown[at + 1] if at + 1 < len(shown) else []
        for column, axes in enumerate(row):
            _span(axes, everywhere, row if rows_apart else everywhere)
            _grid_only(axes, y=column > 0, x=rows_apart and column < len(below))


def _grid_only(axes: Axes, y: bool, x: bool) -> None:
    """Replace an axis by one collection of its grid lines."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    lines: list[list[tuple[float, float]]] = []
    if y:
        ticks = axes.yaxis.get_major_locator().tick_values(bottom, top)
        lines += [[(left, at), (right, at)] for at in ticks if bottom < at < top]
        axes.yaxis.set_visible(False)
    if x:
        ticks = axes.xaxis.get_major_locator().tick_values(left, right)
        lines += [[(at, bottom), (at, top)] for at in ticks if left < at < right]
        axes.xaxis.set_visible(False)
    if lines:
        colour, width = _RC["grid.color"], _RC["grid.linewidth"]
        collection = LineCollection(lines, colors=colour, linewidths=width, zorder=0.5)
        axes.add_collection(collection, autolim=False)


def _span(axes: Axes, same_x: Sequence[Axes], same_y: Sequence[Axes]) -> None:
    xs = [other.dataLim.intervalx for other in same_x]
    ys = [other.dataLim.intervaly for other in same_y]
    for ends, put, margin in ((xs, axes.set_xlim, 0.05), (ys, axes.set_ylim, 0.06)):
        finite = [end for pair in ends for end in pair if math.isfinite(end)]
        if finite:
            low, high = min(finite), max(finite)
            pad = margin * (high - low) or 0.5
            put(low - pad, high + pad)


def _legend_columns(width: float, entries: int) -> int:
    most = min(entries, max(1, int(width / 1.3)))
    return math.ceil(entries / math.ceil(entries / most))


def legend(
    figure: Figure,
    methods: Sequence[str],
    markers: bool = True,
    only: Sequence[str] | None = None,
) -> None:
    """One legend above all panels.

    Args:
        figure: to put it into.
        methods: all methods, whose positions decide their looks.
        markers: whether to show markers.
        only: the methods to name, all by default.
    """
    look = looks(methods)
    methods = methods if only is None else only
    handles = [
        Line2D(
            [],
            [],
            color=look[m].colour,
            marker=look[m].marker if markers else "none",
            linestyle=look[m].line,
        )
        for m in methods
    ]
    columns = _legend_columns(figure.get_figwidth(), len(methods))
    figure.legend(
        handles, methods, loc="upper center", ncols=columns, handlelength=3, borderaxespad=0.1
    )


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``name.png`` and ``name.pdf`` without date, software or user in them."""
    png, pdf = folder / f"{name}.png", folder / f"{name}.pdf"
    with whole.writing(png) as file:
        _save_png(figure, file)
    nobody = {"Creator": None, "Producer": None, "CreationDate": None}
    with whole.writing(pdf) as file:
        figure.savefig(file, format="pdf", metadata=nobody)
    return png, pdf


def png(figure: Figure) -> bytes:
    """The bytes that :func:`save` writes into ``name.png``, whatever the user's settings are."""
    buffer = io.BytesIO()
    with styled():
        _save_png(figure, buffer)
    return buffer.getvalue()


def _save_png(figure: Figure, file: BinaryIO) -> None:
    figure.savefig(file, format="png", metadata={"Software": None})


def save_styled(figure: Figure, folder: Path, name: str) -> None:
    """The same in a process that may not have heard of the look."""
    with styled():
        save(figure, folder, name)


def few_ticks(axes: Axes) -> None:
    """Three or four ticks an axis: enough for a small panel, and ticks are what drawing costs."""
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
