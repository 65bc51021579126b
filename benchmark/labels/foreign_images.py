"""Open-set noise in the images: samples that the labels mark as foreign get the foreign image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.datasets import Dataset
from nlbench.benchmark.datasets.fit import fit
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline.in_memory import Resident, to_device
from nlbench.benchmark.pipeline.select import host
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.noise import NoisyLabels

Pixels = NDArray[np.uint8 | np.float32]


def with_foreign_images(data: Resident, labels: NoisyLabels, root: Path | None) -> Resident:
    """The resident data with the replaced images in place; ``data`` itself where none are.

    A copy of the training images per run: the resident set is shared by runs of other noise.

    Raises:
        UserError: the foreign data set cannot be had, or its images do not fit.
    """
    if labels.replaced is None or not labels.replaced.any():
        return data
    images = with_foreign(data.dataset, labels, root)
    return replace(data, x_train=to_device(images, data.x_train.device))


def with_foreign(dataset: Dataset, labels: NoisyLabels, root: Path | None) -> Pixels:
    """The training images (N, C, H, W) with the foreign ones in place (a copy if there are any).

    Raises:
        UserError: the foreign data set cannot be had, or its images do not fit.
    """
    if labels.replaced is None or labels.source is None or not labels.replaced.any():
        return dataset.x_train
    name = _foreign_set(labels)
    pool = host(DatasetSpec(name), root).x_train
    wanted = labels.source[labels.replaced]
    if wanted.max() >= len(pool):
        raise UserError(
            f"noise {labels.spec}: needs image {wanted.max()} of {name}, which has {len(pool)}"
        )
    images = dataset.x_train.copy()
    images[labels.replaced] = fit(pool[wanted], dataset.in_shape, name)
    return images


def _foreign_set(labels: NoisyLabels) -> str:
    parts = labels.spec.parts or (labels.spec,)
    names = [dict(part.options)["from"] for part in parts if part.kind == "openset"]
    if len(names) != 1:
        raise UserError(f"noise {labels.spec}: images can come from one foreign data set only")
    return names[0]
