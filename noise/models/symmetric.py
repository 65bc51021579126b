"""Symmetric (uniform) noise: a flipped label is uniform over the other classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nlbench.noise.errors import NoiseError
from nlbench.noise.flips import COUNT, flipped_indices, flipped_quotas
from nlbench.noise.registry import Draw, Model, Option, register
from nlbench.noise.rng import below, raw
from nlbench.noise.task import Labels, Task


def draw(task: Task) -> Draw:
    """Flip round(rate * N) samples to a uniformly drawn class.

    T[i][i] = 1 - r and T[i][j] = r / (K - 1); with ``true=include`` the new label is uniform over
    all K, so that T[i][i] = 1 - r + r / K and the realised rate is r (1 - 1/K) on average.
    The number of flips per class is exact; the counts per (class, class) pair are random.
    """
    legacy = task.options["legacy"]
    if task.options["true"] == "exclude" and task.num_classes < 2:
        raise NoiseError("symmetric: a single class has no other class to flip to")
    if legacy != "none" and (task.options["true"], task.options["count"]) != ("exclude", "exact"):
        raise NoiseError(f"symmetric: legacy={legacy} goes with neither 'true' nor 'count'")
    return Draw(_LEGACY[legacy](task))


def _uniform(task: Task, chosen: Labels) -> Labels:
    """Give the chosen samples a uniformly drawn class.

    One step is drawn for every sample, chosen or not: the new label does not depend on the rate.
    """
    k = task.num_classes
    words = raw(task.stream("target"), len(task.labels))
    step = 1 + below(words, k - 1) if task.options["true"] == "exclude" else below(words, k)
    noisy = task.labels.copy()
    noisy[chosen] = (task.labels[chosen] + step[chosen]) % k
    return noisy


def _modern(task: Task) -> Labels:
    return _uniform(task, flipped_indices(task))


def _equal_count(task: Task) -> Labels:
    """int(r N / K) flips in every class, whatever its size: equal counts are unequal rates."""
    each = int(task.rate * len(task.labels) / task.num_classes)
    small = int(np.argmin(task.sizes))
    if each > task.sizes[small]:
        raise NoiseError(
            f"symmetric: legacy=equal-count flips {each} in every class at rate {task.rate}, "
            f"class {small} has {task.sizes[small]}"
        )
    return _uniform(task, flipped_quotas(task, np.full(task.num_classes, each)))


def _truncated(task: Task) -> Labels:
    """int(r n_c) flips in class c."""
    quotas = (task.rate * task.sizes).astype(np.int64)
    return _uniform(task, flipped_quotas(task, quotas))


def _pair_truncated(task: Task) -> Labels:
    """int(r n_c / (K - 1)) flips for every pair of classes."""
    k = task.num_classes
    each = (task.rate * task.sizes / (k - 1)).astype(np.int64)
    chosen = flipped_quotas(task, each * (k - 1))
    labels = task.labels[chosen]
    starts = np.cumsum(each * (k - 1)) - each * (k - 1)
    rank = np.arange(len(chosen)) - starts[labels]
    noisy = task.labels.copy()
    noisy[chosen] = (labels + 1 + rank // each[labels]) % k
    return noisy


_LEGACY: dict[str, Callable[[Task], Labels]] = {
    "none": _modern,
    "equal-count": _equal_count,
    "truncated": _truncated,
    "pair-truncated": _pair_truncated,
}

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
            Option(
                "legacy",
                "counts as published code has them: equal-count int(rN/K) per class (SCE, APL), "
                "truncated int(r n_c) per class (RoG), pair-truncated int(r n_c/(K-1)) per pair of "
                "classes (ANL, JAL; 0.2 of CIFAR-100 becomes 0.198)",
                default="none",
                choices=tuple(_LEGACY),
            ),
        ),
        nested=True,
        summary=(
            "A share of each class gets a new label drawn uniformly from the other classes "
            "(sym-exc). With true=include the draw is over all classes (sym-inc), so that the "
            "realised rate is the nominal one times 1 - 1/K: 0.5 means 0.45 on ten classes."
        ),
        source="Patrini et al., CVPR 2017 (excluding); Kim et al., ICCV 2019 names both",
        used_by=(
            "excluding: Co-teaching, JoCoR (count=bernoulli), SCE, APL (legacy=equal-count), ANL, "
            "JAL (legacy=pair-truncated), ALF, eps-softmax; including: DivideMix (count=overall), "
            "ELR, SOP, GJS, DAC"
        ),
    )
)
