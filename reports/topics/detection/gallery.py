"""The training images with the largest extra output, with given and true labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nlbench.reports.compare.results import Results
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.figures.style import Frame, panels
from nlbench.reports.read.cells import few_rates
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import setting
from nlbench.reports.text import rate
from nlbench.reports.topics.detection.find import Detection, Pictures

COLUMNS = 8
PLACE = 1.05  # inches
GAP, TEXT = 0.28, 0.5  # parts of a picture's size
NAME = 13  # letters of a class name


def gallery_figures(results: Results, detection: Detection) -> Iterator[Planned]:
    """A gallery per condition and method with an extra output.

    Of several settings the first one's; of many rates the lowest, middle and highest.
    """
    where = setting(results, detection.block)
    names = results.method_names
    first: dict[str, str] = {}
    for method in detection.nodes:
        first.setdefault(names[method], method)
    counts = Counter(names[m] for m in detection.nodes)
    for condition in few_rates(detection.conditions):
        for name, method in first.items():
            pictures = detection.pictures.get((method, condition.line))
            if pictures is None or pictures.images is None:
                continue
            wrong = int((pictures.given != pictures.true).sum())
            settings = "" if counts[name] == 1 else f", the first of {counts[name]} settings"
            yield Planned(
                f"drained-{_slug(name)}-{_slug(condition.line)}",
                f"The {len(pictures.mass)} training images with the largest extra output, {method}"
                f"{settings}, {pretty_condition(condition.line)}, seed {pictures.seed}, on {where}:"
                " probability, label given in training and true label. A frame is a flipped label:"
                f" {wrong} of {len(pictures.mass)}, where by chance it would be a share of"
                f" {rate(condition.realised)}.",
                _gallery(pictures),
            )


def _gallery(pictures: Pictures) -> Figure:
    """One axes for all: two dozen of them would take seconds."""
    assert pictures.images is not None
    count, height, width = len(pictures.mass), *pictures.images.shape[2:]
    columns, rows = min(COLUMNS, count), -(-count // COLUMNS)
    # In pixels of the images: a place holds a picture, a gap around it and three lines of text.
    across, down = width * (1 + GAP), height * (1 + GAP + TEXT)
    panel = (columns * PLACE, rows * PLACE * down / across)
    frame = Frame(panel=panel, left=0.05, right=0.05, top=0.05, bottom=0.05)
    figure, grid = panels(1, 1, frame, 0)
    axes = grid[0][0]
    axes.set_axis_off()
    for at in range(count):
        left = (at % COLUMNS + GAP / 2) * across
        top = (at // COLUMNS) * down + TEXT * height
        _picture(axes, pictures, at, (left, top))
    axes.set_xlim(0, columns * across)
    axes.set_ylim(rows * down, 0)
    axes.set_aspect("auto")
    return figure


def _picture(axes: Axes, pictures: Pictures, at: int, corner: tuple[float, float]) -> None:
    assert pictures.images is not None
    image, (left, top) = pictures.images[at], corner
    _, height, width = image.shape
    extent = (left, left + width, top + height, top)
    shown = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest", extent=extent)
    given, true = (
        pictures.classes[int(labels[at])][:NAME] for labels in (pictures.given, pictures.true)
    )
    if pictures.given[at] != pictures.true[at]:
        off = GAP / 5 * width
        box = (left - off, top - off), width + 2 * off, height + 2 * off
        axes.add_patch(Rectangle(*box, fill=False, edgecolor="#000000", linewidth=1.6))
    axes.text(
        left + width / 2,
        top - GAP / 3 * height,
        f"{pictures.mass[at]:.3f}\ngiven {given}\ntrue {true}",
        fontsize=6.3,
        ha="center",
        va="bottom",
        linespacing=1.15,
    )


def _slug(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)
