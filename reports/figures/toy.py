"""The toy picture: regions of classes and of the extra output, training points, by method.

Everything arrives as plain arrays; see ``nlbench toy``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from numpy.typing import NDArray

from nlbench.noise import whole

# Okabe and Ito, in an order in which neighbours differ in lightness too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TINT = 0.30  # how much of a class's colour its region has
BORDER = "#555555"
VEIL = (0.55, 0.55, 0.55, 0.38)
PANEL = 2.55  # inches
SIDE, GAP, TOP, BOTTOM = 0.08, 0.12, 0.52, 0.76
RATE, HELD = 5, 6  # frames a second; further ones at the end
Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Points:
    """What every panel shows.

    Attributes:
        where: (N, 2) x and y.
        given: (N,) labels that the networks are trained on, 0..K-1.
        flipped: (N,) whether that is the wrong one.
        num_classes: K.
        reach: the panels show [-reach, reach] in both directions.
        best: (G, G) class of the best possible classifier over that square, y first.
    """

    where: NDArray[np.float64]
    given: NDArray[np.int64]
    flipped: Bits
    num_classes: int
    reach: float
    best: NDArray[np.int64]


@dataclass(frozen=True)
class Panel:
    """One method, at one or more epochs.

    Attributes:
        title: the method.
        classes: (F, K, G, G) log-probability of each class, y before x.
        extra: (F, G, G) positive where the extra output wins over all classes; None without.
        notes: (F) lines below the picture, what was measured at that epoch.
    """

    title: str
    classes: NDArray[np.float32]
    extra: NDArray[np.float32] | None
    notes: tuple[str, ...]


def toy_figure(points: Points, panels: Sequence[Panel], title: str) -> Figure:
    """One panel per method, at the last of its epochs."""
    figure, _ = _drawn(points, panels, title, -1)
    return figure


def toy_animation(
    points: Points, panels: Sequence[Panel], titles: Sequence[str], path: Path, dpi: int = 80
) -> None:
    """Write a GIF with one frame per epoch; the last one is held for a good second.

    titles: (F) texts above all panels. Equal arguments give equal bytes.
    """
    writer = PillowWriter(fps=RATE, metadata={})
    figure, movers = _drawn(points, panels, titles[0], 0)
    with TemporaryDirectory() as folder:
        made = Path(folder) / "made.gif"
        with writer.saving(figure, str(made), dpi):
            for frame, title in enumerate(titles):
                figure.texts[0].set_text(title)
                for mover, panel in zip(movers, panels, strict=True):
                    mover.show(panel, frame)
                writer.grab_frame()
            for _ in range(HELD):
                writer.grab_frame()
        whole.write_bytes(path, made.read_bytes())


class _Mover:
    """What changes in a panel from epoch to epoch: regions, their borders, the extra output's."""

    def __init__(self, axes: Axes, reach: float) -> None:
        self.axes, self.reach = axes, reach
        self.image: AxesImage | None = None
        self.sets: list[QuadContourSet] = []
        self.note: Text = axes.text(
            0.5, -0.035, "", transform=axes.transAxes, ha="center", va="top", fontsize=8.5
        )

    def show(self, panel: Panel, frame: int) -> None:
        """Draw the panel as it is at a frame."""
        for old in self.sets:
            old.remove()
        classes = panel.classes[frame]
        self.sets = []
        colours = _tints(classes.argmax(axis=0), len(classes))
        reach = self.reach
        if self.image is None:
            half = reach / (classes.shape[-1] - 1)  # the outer pixels are centred on the edge
            extent = (-reach - half, reach + half, -reach - half, reach + half)
            self.image = self.axes.imshow(
                colours, origin="lower", extent=extent, interpolation="nearest", zorder=0
            )
        else:
            self.image.set_data(colours)
        axis = np.linspace(-reach, reach, classes.shape[-1])
        for margin in _margins(classes):
            self._contour(axis, margin, "#222222", 1.1)
        if panel.extra is not None and panel.extra[frame].max() > 0:
            extra = panel.extra[frame]
            self.sets.append(
                self.axes.contourf(
                    axis, axis, extra, [0, np.inf], colors=[VEIL], hatches=["////"], zorder=1.5
                )
            )
            self._contour(axis, extra, BORDER, 0.9)
        self.note.set_text(panel.notes[frame])

    def _contour(
        self, axis: NDArray[np.float64], field: NDArray[np.float32], colour: str, width: float
    ) -> None:
        """The line where a field changes its sign, if it does."""
        if field.min() < 0 < field.max():
            lines = self.axes.contour(
                axis, axis, field, [0], colors=colour, linewidths=width, zorder=1.6
            )
            self.sets.append(lines)


def _drawn(
    points: Points, panels: Sequence[Panel], title: str, frame: int
) -> tuple[Figure, list[_Mover]]:
    count = len(panels)
    width = 2 * SIDE + count * PANEL + (count - 1) * GAP
    height = TOP + PANEL + BOTTOM
    figure = Figure(figsize=(width, height))
    figure.text(0.5, 1 - 0.07 / height, title, ha="center", va="top", fontsize=10.5)
    movers = []
    mpl.rcParams["hatch.color"] = BORDER
    mpl.rcParams["hatch.linewidth"] = 0.6
    for at, panel in enumerate(panels):
        left = SIDE + at * (PANEL + GAP)
        box = (left / width, BOTTOM / height, PANEL / width, PANEL / height)
        axes = figure.add_axes(box)
        _background(axes, points)
        axes.set_title(panel.title, fontsize=10, fontweight="bold", pad=3)
        mover = _Mover(axes, points.reach)
        mover.show(panel, frame)
        movers.append(mover)
    _legend(figure, points, any(panel.extra is not None for panel in panels))
    return figure, movers


def _background(axes: Axes, points: Points) -> None:
    """Points and best border: the same in every panel and frame."""
    reach = points.reach
    axis = np.linspace(-reach, reach, len(points.best))
    for k in range(points.num_classes - 1):
        inside = (points.best == k).astype(float)
        axes.contour(
            axis, axis, inside, [0.5], colors="white", linewidths=1.6, linestyles="--", zorder=1.4
        )
    for k in range(points.num_classes):
        for wrong in (False, True):
            at = points.where[(points.given == k) & (points.flipped == wrong)]
            axes.scatter(at[:, 0], at[:, 1], zorder=3 if wrong else 2, **_look(k, wrong))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)


def _look(k: int, wrong: bool) -> dict[str, Any]:
    """Colour and shape: the given label; a black rim and more size: it is wrong."""
    return {
        "marker": MARKERS[k % len(MARKERS)],
        "facecolors": COLOURS[k % len(COLOURS)],
        "edgecolors": "black" if wrong else "white",
        "linewidths": 0.8 if wrong else 0.25,
        "s": 13 if wrong else 8,
    }


def _legend(figure: Figure, points: Points, extra: bool) -> None:
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=MARKERS[k % len(MARKERS)],
            markersize=5,
            markerfacecolor=COLOURS[k % len(COLOURS)],
            markeredgecolor="white",
            markeredgewidth=0.3,
            label=f"label {k}",
        )
        for k in range(points.num_classes)
    ]
    handles.append(
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markerfacecolor="#dddddd",
            markeredgecolor="black",
            label="flipped label",
        )
    )
    handles.append(Line2D([], [], color="#222222", linewidth=1.1, label="border of the network"))
    handles.append(
        Line2D([], [], color="#999999", linewidth=1.6, linestyle="--", label="best border")
    )
    if extra:
        label = "drained: p_d above every class"
        handles.append(Patch(facecolor=VEIL, edgecolor=BORDER, hatch="////", label=label))
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=len(handles),
        handlelength=1.6,
        columnspacing=1.1,
        handletextpad=0.4,
        borderaxespad=0.25,
        fontsize=8,
    )


def _tints(winner: NDArray[np.int64], num_classes: int) -> NDArray[np.float64]:
    """(G, G) classes as (G, G, 3) pale colours."""
    colours = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(num_classes)])
    pale: NDArray[np.float64] = (1 - TINT + TINT * colours)[winner]
    return pale


def _margins(classes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """For all classes but the last, how far each is ahead of the best other one."""
    margins = []
    for k in range(len(classes) - 1):
        # The borders with earlier classes are drawn already.
        others = np.delete(classes, k, axis=0).max(axis=0)
        margins.append(classes[k] - others)
    return margins
