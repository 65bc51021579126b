"""Heat maps of a sweep, its numbers in the cells, and how they relate to noisy validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nlbench.benchmark.store import names
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.figures.style import Frame, align, few_ticks, panels
from nlbench.reports.read.cells import Block
from nlbench.reports.stats import mean_interval
from nlbench.reports.text import number
from nlbench.reports.topics.sweep.find import Setting, Sweep
from nlbench.reports.topics.sweep.page import caption
from nlbench.reports.topics.sweep.selection import Choices
from nlbench.reports.topics.sweep.tables import Found

CELL = (0.74, 0.46)  # inches
LEFT, TOP, BOTTOM, BETWEEN, NAMES = 0.62, 0.36, 0.52, 0.34, 2.1
# Dark to light in grey too, and the same to the colour-blind.
MAP = "cividis"
APART = 0.14  # of a cell, between the limit 0 and the levels above it
VALIDATION = Frame(panel=(1.9, 1.9), left=0.62, across=0.14)
MOST_PANELS = 5
KEY = (
    "mean and standard deviation over seeds; framed: the default; ★: the highest mean accuracy;"
    " hatched ‡: so many runs collapsed; † incomplete."
)
_HOLLOW: dict[str, Any] = {
    "linestyle": "none",
    "markerfacecolor": "none",
    "markeredgewidth": 1.4,
}
# Over each other where they meet: the largest last.
RINGS: dict[str, dict[str, Any]] = {
    "best of the seed": {**_HOLLOW, "marker": "^", "color": "#0072B2", "markersize": 8},
    "default": {**_HOLLOW, "marker": "s", "color": "#000000", "markersize": 7},
    "chosen": {**_HOLLOW, "marker": "o", "color": "#D55E00", "markersize": 11},
}


@dataclass(frozen=True)
class Shade:
    """How a number becomes a colour.

    Attributes:
        low: value of the darkest.
        high: value of the lightest.
        digits: printed.
    """

    low: float
    high: float
    digits: int

    def __call__(self, value: float) -> tuple[str, str]:
        """Fill and ink of a cell."""
        span = self.high - self.low
        share = 0.5 if span <= 0 else min(1.0, max(0.0, (value - self.low) / span))
        fill = mpl.colormaps[MAP](share)
        return mpl.colors.to_hex(fill), "white" if share < 0.55 else "black"


Values = Callable[[Setting], NDArray[np.float64]]


def accuracy_map(sweep: Sweep) -> Figure | None:
    """Test accuracy over the grid and of the methods beside it; ``None`` without a number."""
    settings = [*sweep.settings, *sweep.beside]
    means = [m for s in settings if (m := s.cell.summary.mean) is not None]
    if not means:
        return None
    shade = Shade(min(means), max(means), 1)
    return _maps(sweep, [("test accuracy (%)", lambda s: s.cell.values)], sweep.beside, shade)


def drained_map(sweep: Sweep) -> Figure | None:
    """Probability of the extra output at the last epoch; ``None`` where there is none."""
    if not sweep.has_extra_output:
        return None
    beside = [s for s in sweep.beside if any(np.isfinite(v).any() for v in _masses(s))]
    shown: list[tuple[str, Values]] = [
        ("extra output, clean samples", lambda s: s.last[names.MEAN_CLEAN]),
        ("extra output, flipped samples", lambda s: s.last[names.MEAN_FLIPPED]),
    ]
    return _maps(sweep, shown, beside, Shade(0.0, 1.0, 2))


def validation_figure(sweep: Sweep, choices: Choices) -> Figure:
    """Noisy validation against clean test accuracy of every setting, a panel per seed."""
    shown = choices.seeds[:MOST_PANELS]
    figure, grid = panels(1, len(shown), VALIDATION, len(RINGS))
    for axes, choice in zip(grid[0], shown, strict=True):
        at = sweep.default.cell.seeds.index(choice.seed)
        place = {
            id(s): (100 * float(s.last["val_noisy"][at]), float(s.cell.values[at]))
            for s in sweep.settings
        }
        points = np.array(list(place.values()))
        axes.plot(points[:, 0], points[:, 1], "o", color="#777777", markersize=3.5)
        ringed = ([choice.best], [sweep.default], choice.chosen)
        for settings, ring in zip(ringed, RINGS.values(), strict=True):
            for setting in settings:
                x, y = place[id(setting)]
                axes.plot([x], [y], **ring)
        axes.set_title(f"seed {choice.seed}")
        axes.set_xlabel("noisy validation (%)")
        few_ticks(axes)
    grid[0][0].set_ylabel("test accuracy (%)")
    align(grid)
    handles = [Line2D([], [], **ring) for ring in RINGS.values()]
    figure.legend(handles, list(RINGS), loc="upper center", ncols=len(RINGS), borderaxespad=0.1)
    return figure


def _masses(setting: Setting) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return setting.last[names.MEAN_CLEAN], setting.last[names.MEAN_FLIPPED]


def _maps(
    sweep: Sweep, shown: Sequence[tuple[str, Values]], beside: Sequence[Setting], shade: Shade
) -> Figure:
    """Grids below each other, settings beside the grid on the right."""
    rows, columns = sweep.row_levels, sweep.column_levels
    height = CELL[1] * max(len(rows), len(beside))
    width = CELL[0] * (len(columns) + APART)
    strip = BETWEEN + CELL[0] + NAMES if beside else 0.12
    total = (LEFT + width + strip, len(shown) * (TOP + height + BOTTOM))
    figure = Figure(figsize=total)
    for at, (title, values) in enumerate(shown):
        bottom = (len(shown) - 1 - at) * (TOP + height + BOTTOM) + BOTTOM
        low = bottom + height - CELL[1] * len(rows)
        axes = _axes(figure, (LEFT, low, width, CELL[1] * len(rows)), total)
        _grid(axes, sweep, values, shade)
        axes.set_title(title)
        if beside:
            place = (LEFT + width + BETWEEN, bottom + height - CELL[1] * len(beside),
                     CELL[0], CELL[1] * len(beside))  # fmt: skip
            _strip(_axes(figure, place, total), sweep, beside, values, shade)
    return figure


def _axes(
    figure: Figure, place: tuple[float, float, float, float], total: tuple[float, float]
) -> Axes:
    left, bottom, width, height = place
    axes = figure.add_axes(
        (left / total[0], bottom / total[1], width / total[0], height / total[1])
    )
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def _grid(axes: Axes, sweep: Sweep, values: Values, shade: Shade) -> None:
    rows, columns = sweep.row_levels, sweep.column_levels
    limit = columns[0] == 0.0
    at = [i + (APART if limit and i else 0.0) for i in range(len(columns))]
    means = {s.at: s.cell.summary.mean for s in sweep.settings}
    best = max((m for m in means.values() if m is not None), default=None)
    for setting in sweep.settings:
        if setting.at is None:
            continue
        corner = (at[columns.index(setting.at[1])], rows.index(setting.at[0]))
        star = "★ " if best is not None and means[setting.at] == best else ""
        _cell(axes, corner, setting, values(setting), shade, star)
        if setting is sweep.default:
            axes.add_patch(Rectangle((corner[0] + 0.04, corner[1] + 0.05), 0.92, 0.9, fill=False,
                                     edgecolor="#D55E00", linewidth=2.2, zorder=3))  # fmt: skip
    axes.set_xlim(0, len(columns) + (APART if limit else 0.0))
    axes.set_ylim(0, len(rows))
    names = [f"{level:g}" for level in columns]
    names[0] = "0 (limit)" if limit else names[0]
    axes.set_xticks([x + 0.5 for x in at], names)
    axes.set_yticks([i + 0.5 for i in range(len(rows))], [f"{level:g}" for level in rows])
    axes.set_xlabel(sweep.columns.label)
    axes.set_ylabel(sweep.rows.label)


def _strip(
    axes: Axes, sweep: Sweep, beside: Sequence[Setting], values: Values, shade: Shade
) -> None:
    count = len(beside)
    for i, setting in enumerate(beside):
        _cell(axes, (0.0, count - 1 - i), setting, values(setting), shade, "")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, count)
    axes.set_xticks([])
    axes.yaxis.tick_right()
    names = [_folded(sweep.name(setting)) for setting in reversed(beside)]
    axes.set_yticks([i + 0.5 for i in range(count)], names)


def _folded(name: str) -> str:
    """``Drainage (constant)(alpha=1, ...)`` on two lines."""
    head, bracket, rest = name.rpartition("(")
    return f"{head.rstrip()}\n({rest}" if bracket and head and len(name) > 26 else name


def _cell(
    axes: Axes,
    corner: tuple[float, float],
    setting: Setting,
    values: NDArray[np.float64],
    shade: Shade,
    star: str,
) -> None:
    """One rectangle: mean, standard deviation, and what is wrong with its runs."""
    cell = setting.cell
    found = mean_interval(values[np.isfinite(values)])
    fill, ink = ("white", "black") if found.mean is None else shade(found.mean)
    sick = bool(cell.collapsed.any())
    axes.add_patch(
        Rectangle(corner, 1, 1, facecolor=fill, edgecolor="white", linewidth=1.0, zorder=1)
    )
    if sick or found.mean is None:
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="///", linewidth=0.0,
                                 edgecolor="#999999", zorder=2))  # fmt: skip
    lines = [f"{star}{number(found.mean, shade.digits)}"]
    if found.sd is not None:
        lines.append(f"± {number(found.sd, shade.digits)}")
    marks = [] if cell.complete else [f"†{cell.summary.n}/{cell.expected}"]
    marks += [f"‡{int(cell.collapsed.sum())}"] if sick else []
    if marks:
        lines.append(" ".join(marks))
    size = 8 if len(lines) < 3 else 6.8
    axes.text(corner[0] + 0.5, corner[1] + 0.5, "\n".join(lines), ha="center", va="center",
              color=ink, fontsize=size, linespacing=1.15, zorder=4)  # fmt: skip


def figures(results: Results, found: Found, block: Block | None) -> Iterator[Planned]:
    """Everything that can be drawn of the study's grids."""
    if block is not None:
        return
    for sweep, _, choices in found:
        suffix = f"-{sweep.number}" if sweep.number > 1 else ""
        about = caption(results, sweep)
        for name, words, figure in _of_sweep(sweep, choices):
            yield Planned(f"sweep-{name}{suffix}", f"{words} {about}", figure, sweep.block.index)


def _of_sweep(sweep: Sweep, choices: Choices | None) -> Iterator[tuple[str, str, Figure]]:
    accuracy, drained = accuracy_map(sweep), drained_map(sweep)
    if accuracy is not None:
        yield (
            "accuracy",
            f"Test accuracy of {sweep.title} over {sweep.rows.label} and {sweep.columns.label}, and"
            f" of the methods beside it, in one scale; {KEY}",
            accuracy,
        )
    if drained is not None:
        yield (
            "drained",
            "Probability of the extra output for clean and of flipped training samples at the last"
            f" epoch over {sweep.rows.label} and {sweep.columns.label}, and of the methods beside"
            f" it that have one; the scale runs from 0 to 1; {KEY}",
            drained,
        )
    if choices is not None:
        first = f" (the first {MOST_PANELS})" if len(choices.seeds) > MOST_PANELS else ""
        yield (
            "validation",
            "Accuracy on held-out noisy labels against accuracy on the clean test set at the last"
            f" epoch, a panel per seed{first}, a dot per setting: how well a noisy validation"
            " set orders the settings. Chosen: the highest noisy validation accuracy; several where"
            " it does not distinguish them.",
            validation_figure(sweep, choices),
        )
