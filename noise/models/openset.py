"""Open-set noise: images of another data set replace some, whose labels are kept."""

from __future__ import annotations

import re

import numpy as np

from nlbench.noise.errors import NoiseError
from nlbench.noise.flips import COUNT, flipped_indices
from nlbench.noise.registry import Draw, Model, Option, Scalar, register
from nlbench.noise.rng import raw
from nlbench.noise.task import Labels, Task

# Training images of the data sets that usually serve as foreign ones.
POOLS = {
    "mnist": 60_000,
    "fashion_mnist": 60_000,
    "cifar10": 50_000,
    "cifar10_jpeg": 50_000,
    "cifar100": 50_000,
    "svhn": 73_257,
}


def draw(task: Task) -> Draw:
    """Replace round(rate * N) images, an exact share of each class, by images of another set.

    The labels stay clean; ``replaced`` marks them, ``source`` is the image of the other set
    there. No foreign image is used twice while they are at least as many as the samples. Both
    are nested over rates.
    """
    pool = _pool(task)
    chosen = flipped_indices(task)
    source = np.full(len(task.labels), -1, dtype=np.int64)
    source[chosen] = _assigned(task, pool)[chosen]
    details: dict[str, Scalar] = {"from": task.options["from"], "pool": pool}
    return Draw(task.labels, source >= 0, source, details)


def _pool(task: Task) -> int:
    name, text = task.options["from"], task.options.get("pool")
    if text is None:
        if name in POOLS:
            return POOLS[name]
        raise NoiseError(f"openset: how many images has '{name}'? give pool=COUNT")
    if re.fullmatch(r"[1-9][0-9]{0,7}", text) is None:  # the pool is drawn from in memory
        raise NoiseError(f"openset: pool='{text[:80]}' is not a number of images below 10^8")
    return int(text)


def _assigned(task: Task, pool: int) -> Labels:
    """Return a foreign image for every sample, (N,): a shuffled pool, repeated if it is smaller."""
    order = np.argsort(raw(task.stream("source"), pool), kind="stable")
    return np.resize(order, len(task.labels)).astype(np.int64)


register(
    Model(
        name="openset",
        draw=draw,
        options=(
            Option(
                "from",
                "name of the data set whose images come in",
                settle=lambda _dataset, _classes: _unnamed(),
            ),
            Option("pool", f"how many images it has (known: {', '.join(POOLS)})"),
            COUNT,
        ),
        nested=True,
        summary=(
            "A share of the images is replaced by images of another data set, which belong to none "
            "of the classes; the labels are kept. With in-set noise on the rest, as in "
            "'openset:0.15:from=cifar100+symmetric:0.2', for the field's total rate and open share."
        ),
        source="Wang et al., CVPR 2018 (open-set noisy labels); Sachdeva et al., WACV 2021",
        used_by="EvidentialMix, Co-teaching+, SSR, SNCF and DSOS (there one coin per image)",
    )
)


def _unnamed() -> str:
    raise NoiseError("openset: name the data set the images come from, as in from=mnist")
