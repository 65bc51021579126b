"""Label sets as pictures: transition heat map, and a gallery of flipped examples."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nlbench.noise import NoisyLabels

EXAMPLES = 6
WIDTH, ROW_HEIGHT = 11.0, 1.42  # inches
Pixels = NDArray[np.uint8 | np.float32]


def transition(labels: NoisyLabels, names: Sequence[str], path: Path) -> None:
    """Write the realised transition matrix as a heat map (PNG)."""
    size = min(2.5 + 0.45 * labels.num_classes, 14)
    figure = Figure(figsize=(size, size * 0.85), layout="constrained")
    axes = figure.subplots()
    heat_map(axes, labels, names, annotate=labels.num_classes <= 20)
    axes.set_title(f"{labels.spec}, seed {labels.seed}: realised {labels.realised_rate:.3f}")
    figure.savefig(path, dpi=120, metadata={"Software": None})


def heat_map(axes: Axes, labels: NoisyLabels, names: Sequence[str], annotate: bool) -> None:
    """Draw P(given | true), rows sum to 1."""
    matrix = labels.transition_counts / np.maximum(labels.sizes, 1)[:, None]
    sns.heatmap(
        matrix,
        ax=axes,
        vmin=0,
        vmax=1,
        cmap="cividis",
        square=True,
        cbar=annotate,
        annot=annotate,
        fmt=".2f",
        annot_kws={"size": 7},
        xticklabels=list(names) if annotate else False,
        yticklabels=list(names) if annotate else False,
    )
    if annotate:
        axes.set_xlabel("given label")
        axes.set_ylabel("true label")


@dataclass(frozen=True, eq=False)
class Row:
    """One row of the gallery: a label set, what it is known as, and the images (N, C, H, W)."""

    labels: NoisyLabels
    note: str
    names: Sequence[str]
    images: Pixels


def gallery(rows: Sequence[Row], path: Path) -> None:
    """Write one row per label set: its name, heat map, and images of changed labels (PNG)."""
    figure = Figure(figsize=(WIDTH, ROW_HEIGHT * len(rows)))
    grid = figure.subplots(
        len(rows),
        EXAMPLES + 2,
        squeeze=False,
        width_ratios=[2.3, *[1.0] * (EXAMPLES + 1)],
        gridspec_kw={"left": 0.005, "right": 0.995, "hspace": 0.42, "wspace": 0.08}
        | {"bottom": 0.1 / len(rows), "top": 1 - 0.35 / len(rows)},
    )
    for axes, row in zip(grid, rows, strict=True):
        _caption(axes[0], row)
        heat_map(axes[1], row.labels, row.names, annotate=False)
        _examples(axes[2:], row)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _caption(axes: Axes, row: Row) -> None:
    """The line, its options below each other; realised rate; what it is known as."""
    axes.set_axis_off()
    first, *options = textwrap.wrap(
        str(row.labels.spec).replace(":", ": ").replace("+", " + "), 30, break_on_hyphens=False
    )
    name = "\n".join(word.replace(": ", ":").replace(" + ", "+") for word in (first, *options))
    low, high = np.nanmin(row.labels.per_class_rate), np.nanmax(row.labels.per_class_rate)
    facts = f"realised {row.labels.realised_rate:.4f}, classes {low:.3f} to {high:.3f}"
    text = "\n".join([facts, *textwrap.wrap(row.note, 36)])
    axes.text(0, 0.97, name, fontsize=9, weight="bold", va="top", transform=axes.transAxes)
    below = 0.97 - 0.2 * (1 + name.count("\n"))
    axes.text(0, below, text, fontsize=8, va="top", transform=axes.transAxes)


def _examples(axes_row: Sequence[Axes], row: Row) -> None:
    """The first changed (or foreign) images, one of each true class in turn; if none, any."""
    labels = row.labels
    where = np.flatnonzero(labels.corrupted if labels.corrupted.any() else labels.clean >= 0)
    order = np.argsort(_rank_within_class(labels.clean[where]), kind="stable")
    for axes in axes_row:
        axes.set_axis_off()
    for axes, i in zip(axes_row, where[order], strict=False):
        axes.imshow(row.images[i].transpose(1, 2, 0).squeeze(), cmap="gray_r")
        true, given = (row.names[c] for c in (labels.clean[i], labels.noisy[i]))
        axes.set_title(f"{true}\n→ {given}", fontsize=8, pad=3)


def _rank_within_class(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many samples of the same class stand before each."""
    rank = np.zeros(len(classes), dtype=np.int64)
    for c in np.unique(classes):
        mine = classes == c
        rank[mine] = np.arange(mine.sum())
    return rank
