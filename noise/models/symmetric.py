"""Symmetric (uniform) noise: a flipped label is uniform over the other classes."""

from __future__ import annotations

import numpy as np

from noise.errors import NoiseError
from noise.flips import COUNT, flipped_indices
from noise.registry import Draw, Model, Option, register
from noise.rng import below, raw
from noise.task import Task


def draw(task: Task) -> Draw:
    """Flip round(rate * N) samples to a uniformly drawn class.

    T[i][i] = 1 - r and T[i][j] = r / (K - 1); with ``true=include`` the new label is uniform over
    all K, so that T[i][i] = 1 - r + r / K and the realised rate is r (1 - 1/K) on average.
    The number of flips per class is exact; the counts per (class, class) pair are random.
    """
    k = task.num_classes
    exclude = task.options["true"] == "exclude"
    if exclude and k < 2:
        raise NoiseError("symmetric: a single class has no other class to flip to")
    chosen = flipped_indices(task)
    # one step per sample, chosen or not: a sample's new label does not depend on the rate
    words = raw(task.stream("target"), len(task.labels))
    step = 1 + below(words, k - 1) if exclude else below(words, k)
    noisy = task.labels.copy()
    noisy[chosen] = (task.labels[chosen] + step[chosen]) % k
    return Draw(noisy.astype(np.int64, copy=False))


register(
    Model(
        name="symmetric",
        draw=draw,
        options=(
            Option(
                "true",
                "whether the new label may be the true one",
                default="exclude",
                choices=("exclude", "include"),
            ),
            COUNT,
        ),
        nested=True,
        summary=(
            "A share of each class gets a new label drawn uniformly from the other classes "
            "(sym-exc). With true=include the draw is over all classes (sym-inc), so that the "
            "realised rate is the nominal one times 1 - 1/K: 0.5 means 0.45 on ten classes."
        ),
        source="Patrini et al., CVPR 2017 (excluding); Kim et al., ICCV 2019 names both",
        used_by=(
            "excluding: Co-teaching, JoCoR, SCE, APL, ALF, ANL, eps-softmax; "
            "including: DivideMix, ELR, SOP, GJS, DAC"
        ),
    )
)
