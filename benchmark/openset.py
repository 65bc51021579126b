"""Open-set noise in the images: what the labels say is foreign is shown as the foreign image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmark.errors import UserError
from benchmark.resident import Resident, host
from benchmark.spec import DatasetSpec
from noise import NoisyLabels


def with_foreign_images(data: Resident, labels: NoisyLabels, root: Path | None) -> Resident:
    """The data with the replaced images in place; ``data`` itself where none are.

    A copy of the training images per run: the resident set is shared by runs of other noise.

    Raises:
        UserError: the foreign data set cannot be had, or its images do not fit.
    """
    if labels.replaced is None or labels.source is None or not labels.replaced.any():
        return data
    name = _foreign_set(labels)
    where = np.flatnonzero(labels.replaced)
    pool = host(DatasetSpec(name), root)
    if labels.source[where].max() >= len(pool.x_train):
        raise UserError(
            f"noise {labels.spec}: needs image {labels.source[where].max()} of {name}, which has"
            f" {len(pool.x_train)}"
        )
    foreign = fit(pool.x_train[labels.source[where]], data.dataset.in_shape, name)
    images = data.x_train.clone(memory_format=torch.preserve_format)
    images[torch.tensor(where, device=images.device)] = torch.tensor(foreign, device=images.device)
    return replace(data, x_train=images)


def _foreign_set(labels: NoisyLabels) -> str:
    parts = labels.spec.parts or (labels.spec,)
    names = [dict(part.options)["from"] for part in parts if part.kind == "openset"]
    if len(names) != 1:
        raise UserError(f"noise {labels.spec}: images can come from one foreign data set only")
    return names[0]


def fit(
    images: NDArray[np.uint8 | np.float32], shape: tuple[int, int, int], name: str
) -> NDArray[np.uint8 | np.float32]:
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
            f"open-set noise: images of {name} are {c} x {h} x {w} and do not fit into"
            f" {channels} x {height} x {width}"
        )
    top, left = (height - h) // 2, (width - w) // 2
    return np.pad(images, ((0, 0), (0, 0), (top, height - h - top), (left, width - w - left)))
