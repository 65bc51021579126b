"""Label sets as pictures: transition heat map, and a gallery of flipped examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmark.datasets import Dataset
from benchmark.openset import with_foreign
from noise import NoisyLabels

EXAMPLES = 6
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


def gallery(sets: Sequence[NoisyLabels], dataset: Dataset, path: Path, root: Path | None) -> None:
    """Write one row per label set: its heat map and images of flipped labels, true -> given."""
    with mpl.rc_context({"font.size": 8}):
        figure = Figure(figsize=(12, 1.75 * len(sets)), layout="constrained")
        grid = figure.subplots(len(sets), EXAMPLES + 1, squeeze=False)
        for row, labels in zip(grid, sets, strict=True):
            heat_map(row[0], labels, dataset.class_names, annotate=False)
            name = str(labels.spec).replace(":map=", "\nmap=")
            row[0].set_title(f"{name}\nrealised {labels.realised_rate:.3f}", fontsize=7)
            _examples(row[1:], labels, dataset, with_foreign(dataset, labels, root))
        figure.savefig(path, dpi=90, metadata={"Software": None})


def _examples(row: Sequence[Axes], labels: NoisyLabels, dataset: Dataset, images: Pixels) -> None:
    """The first flipped (or foreign) images, one of each true class in turn."""
    where = np.flatnonzero(labels.corrupted)
    order = np.argsort(_rank_within_class(labels.clean[where]), kind="stable")
    for axes in row:
        axes.set_axis_off()
    for axes, i in zip(row, where[order], strict=False):
        axes.imshow(images[i].transpose(1, 2, 0).squeeze(), cmap="gray_r")
        true, given = (dataset.class_names[c] for c in (labels.clean[i], labels.noisy[i]))
        axes.set_title(f"{true}\n→ {given}", fontsize=7)


def _rank_within_class(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many samples of the same class stand before each."""
    rank = np.zeros(len(classes), dtype=np.int64)
    for c in np.unique(classes):
        mine = classes == c
        rank[mine] = np.arange(mine.sum())
    return rank
