"""Images of one data set in the shape of another."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark.datasets.base import Pixels
from nlbench.benchmark.errors import UserError


def fit(images: Pixels, shape: tuple[int, int, int], name: str) -> Pixels:
    """Images (N, C, H, W) in another shape: grey becomes RGB, small ones get a black frame.

    Raises:
        UserError: colour would have to be dropped, or images are larger: resize them yourself.
    """
    channels, height, width = shape
    _, c, h, w = images.shape
    if c == 1 and channels == 3:
        images = images.repeat(3, axis=1)
    if images.shape[1] != channels or h > height or w > width:
        raise UserError(
            f"images of {name} are {c} x {h} x {w} and do not fit into"
            f" {channels} x {height} x {width}"
        )
    top, left = (height - h) // 2, (width - w) // 2
    framed = np.zeros((len(images), channels, height, width), dtype=images.dtype)
    framed[:, :, top : top + h, left : left + w] = images
    return framed
