"""A label set as a picture: the heat map of its transition matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nlbench.noise import NoisyLabels, whole


def transition(labels: NoisyLabels, names: Sequence[str], path: Path) -> None:
    """Write the realised transition matrix as a heat map (PNG)."""
    size = min(2.5 + 0.45 * labels.num_classes, 14)
    figure = Figure(figsize=(size, size * 0.85), layout="constrained")
    axes = figure.subplots()
    heat_map(axes, labels, names, annotate=labels.num_classes <= 20)
    axes.set_title(f"{labels.spec}, seed {labels.seed}: realised {labels.realised_rate:.3f}")
    with whole.writing(path) as file:
        figure.savefig(file, dpi=120, format="png", metadata={"Software": None})


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
