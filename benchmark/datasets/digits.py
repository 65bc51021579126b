"""Handwritten digits, 8x8, that come with scikit-learn: the embedded default, no download."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark.datasets.base import Dataset, channel_statistics
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register

_TRAIN = 1000


@register(
    DatasetInfo(
        name="digits",
        label="Digits 8x8",
        family="digits",
        num_classes=10,
        shape=(1, 8, 8),
        train=_TRAIN,
        test=797,
        source="ships with scikit-learn (UCI optdigits, test part)",
    )
)
def load_digits(source: Source) -> Dataset:
    """The 1,797 UCI optdigits images that scikit-learn ships.

    Pixels 0..16 become ``(255 * v + 8) // 16``, i.e. 255 v / 16 rounded, halves up: one-to-one.
    The first 1,000 samples are for training, the last 797 for testing. The file is apparently
    grouped by writer (scikit-learn's own tests rely on it), so most test writers are not in the
    training part, which makes this split harder than a random one.
    """
    import sklearn.datasets  # slow to import, needed by no other data set

    bunch = sklearn.datasets.load_digits()
    levels = np.asarray(bunch.images, dtype=np.int64)
    images = ((255 * levels + 8) // 16).astype(np.uint8)[:, None]
    labels = np.asarray(bunch.target, dtype=np.int64)
    mean, std = channel_statistics(images[:_TRAIN])
    return Dataset(
        name=source.name,
        family="digits",
        label="Digits 8x8",
        class_names=tuple(str(k) for k in range(10)),
        x_train=images[:_TRAIN],
        y_train=labels[:_TRAIN],
        x_test=images[_TRAIN:],
        y_test=labels[_TRAIN:],
        mean=mean,
        std=std,
    )
