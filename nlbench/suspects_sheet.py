"""The contact sheet: the most suspicious images, each with its given label and the better guess."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nlbench.benchmark.suspicious.folds import Labels
from nlbench.benchmark.suspicious.judge import Verdict
from nlbench.benchmark.suspicious.samples import Samples
from nlbench.noise import whole

COLUMNS = 10
LETTERS = 14
# Height of a cell beside its width of 1: the image and three lines of text.
HEIGHT = 1.5


def contact_sheet(
    samples: Samples, verdict: Verdict, shown: Labels | Sequence[int], path: Path
) -> None:
    """Write the images of these samples as one PNG."""
    columns = min(COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(1.1 * columns, 1.1 * HEIGHT * rows))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for number, at in enumerate(shown):
        top, left = HEIGHT * (number // columns), number % columns
        axes.imshow(
            _pixels(samples, at),
            extent=(left + 0.06, left + 0.94, top + 0.94, top + 0.06),
            cmap="gray",
            vmin=0,
            vmax=1,
        )
        given, guess = (samples.class_names[k] for k in (samples.given[at], verdict.guess[at]))
        text = (
            f"{_short(given)}\n→ {_short(guess)}\n#{samples.numbers[at]}  {verdict.score[at]:.2f}"
        )
        axes.text(
            left + 0.5,
            top + 0.98,
            text,
            ha="center",
            va="top",
            fontsize=6.5,
            linespacing=1.1,
            color="black" if verdict.flagged[at] else "0.45",
            parse_math=False,
        )
    axes.set_xlim(0, columns)
    axes.set_ylim(HEIGHT * rows, 0)
    with whole.writing(path) as file:
        figure.savefig(file, dpi=150, format="png", metadata={"Software": None})


def _pixels(samples: Samples, at: int) -> NDArray[np.float64]:
    """One image as a picture (H, W) or (H, W, 3) in 0..1."""
    image: NDArray[np.float64] = samples.images[at].astype(np.float64)
    if samples.images.dtype == np.uint8:
        image = image / 255
    else:
        low, high = image.min(), image.max()
        image = (image - low) / (high - low if high > low else 1)
    return image.transpose(1, 2, 0) if len(image) == 3 else image[0]


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
