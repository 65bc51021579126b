"""Template: images and their labels."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark.datasets import Dataset, Source
from nlbench.benchmark.datasets.base import channel_statistics
from nlbench.noise import generator


def template(source: Source) -> Dataset:
    """Return images of two classes, dark and bright; read yours, for example, from ``source.root``.

    Images are (N, C, H, W), uint8 or float32; labels int64 from 0 on, the true ones.
    """
    labels = np.arange(300, dtype=np.int64) % 2
    drawn = generator("template").random((300, 1, 8, 8))
    images = (128 * drawn + 100 * labels[:, None, None, None]).astype(np.uint8)
    mean, std = channel_statistics(images[:200])
    return Dataset(
        name=source.name,
        family=source.name,
        label="Template",
        class_names=("dark", "bright"),
        x_train=images[:200],
        y_train=labels[:200],
        x_test=images[200:],
        y_test=labels[200:],
        mean=mean,
        std=std,
    )
