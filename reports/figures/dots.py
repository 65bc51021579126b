"""Dot plots: a row per method and score, mean with interval, single runs as grey dots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nlbench.reports.figures.style import Frame, looks, panels
from nlbench.reports.read.cells import Cell
from nlbench.reports.read.measured import bounded

ROW = 0.2  # inches
PANEL = 2.6
CHARACTER = 0.066  # inches of a row's name


@dataclass(frozen=True)
class Dot:
    """One mark.

    Attributes:
        row: name of its row.
        method: whose look it has.
        mean: its position.
        low: lower end of its interval, ``None`` without one.
        high: upper end.
        runs: the single values.
        filled: whether the marker is.
    """

    row: str
    method: str
    mean: float
    low: float | None
    high: float | None
    runs: tuple[float, ...]
    filled: bool

    @classmethod
    def of(
        cls,
        row: str,
        method: str,
        cell: Cell,
        filled: bool,
        bounds: tuple[float, float] = (0.0, 100.0),
    ) -> Dot:
        """From a cell that has a value, of percentages or of something else with its bounds."""
        low, high = bounded(cell.summary, bounds) or (None, None)
        runs = tuple(float(v) for v in cell.values[cell.known])
        return cls(row, method, cell.summary.mean or 0.0, low, high, runs, filled)


def dots_figure(
    columns: Mapping[str, Sequence[Dot]],
    rows: Sequence[str],
    methods: Sequence[str],
    title: str,
    line: float | None,
) -> Figure | None:
    """A panel per column, all with the same rows and limits.

    Args:
        columns: title of a panel -> its marks.
        rows: names from top to bottom; those without a mark anywhere are left out.
        methods: all methods of the block, whose positions decide their looks.
        title: of the x axes.
        line: position of the dashed line, ``None`` without one.

    Returns:
        The figure, ``None`` without marks.
    """
    used = {dot.row for dots in columns.values() for dot in dots}
    places = {row: at for at, row in enumerate(row for row in rows if row in used)}
    if not places:
        return None
    left = 0.2 + CHARACTER * max(len(row) for row in places)
    frame = Frame(panel=(PANEL, ROW * len(places) + 0.12), left=left, top=0.32)
    figure, grid = panels(1, len(columns), frame, 0)
    values = [v for dots in columns.values() for dot in dots for v in _extent(dot)]
    values += [] if line is None else [line]
    pad = 0.05 * (max(values) - min(values)) or 1.0
    for at, (name, dots) in enumerate(columns.items()):
        axes = grid[0][at]
        _panel(axes, dots, places, methods, line)
        axes.set_title(name)
        axes.set_xlabel(title)
        axes.set_xlim(min(values) - pad, max(values) + pad)
        axes.set_ylim(len(places) - 0.4, -0.6)
        axes.set_yticks(list(places.values()), list(places) if at == 0 else [""] * len(places))
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
    return figure


def _extent(dot: Dot) -> list[float]:
    ends = [end for end in (dot.low, dot.high) if end is not None]
    return [dot.mean, *ends, *dot.runs]


def _panel(
    axes: Axes,
    dots: Sequence[Dot],
    places: Mapping[str, int],
    methods: Sequence[str],
    line: float | None,
) -> None:
    look = looks(methods)
    if line is not None:
        axes.axvline(line, color="#666666", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    shaded = list(dict.fromkeys(dot.method for dot in dots))[1::2]
    for dot in dots:
        at, style = places[dot.row], look[dot.method]
        if dot.method in shaded:
            axes.axhspan(at - 0.5, at + 0.5, color="#f3f3f3", linewidth=0, zorder=0)
        runs = dot.runs if len(dot.runs) > 1 else ()
        axes.plot(runs, [at + 0.24] * len(runs), ".", color="#999999", markersize=3, zorder=2)
        if dot.low is not None and dot.high is not None:
            axes.plot([dot.low, dot.high], [at, at], color=style.colour, linewidth=1.3, zorder=3)
        axes.plot(
            [dot.mean],
            [at],
            style.marker,
            color=style.colour,
            markerfacecolor=style.colour if dot.filled else "white",
            markersize=4.8,
            zorder=4,
        )
