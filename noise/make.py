"""make: from clean labels and a one-line setting to the NoisyLabels artefact; and back again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noise.errors import NoiseError
from noise.labels import NoisyLabels
from noise.registry import get
from noise.spec import NoiseSpec
from noise.task import GENERATOR_VERSION, Task, checked_count, checked_labels, class_sizes


def make(
    spec: NoiseSpec | str,
    labels: ArrayLike,
    *,
    num_classes: int,
    seed: int,
    features: NDArray[Any] | None = None,
    dataset: str | None = None,
) -> NoisyLabels:
    """Corrupt clean labels as ``spec`` says; the same arguments give the same bits anywhere.

    labels: (N,) integers in [0, num_classes), every class present. seed: >= 0.
    features: what the kind needs ((N, C, H, W) or (N, D) pixels for ``instance``); else ignored.
    dataset: name that settles the flip map where the setting does not name one.
    The inputs are never written to. NoiseError (one line) for anything that does not fit.
    """
    parsed = NoiseSpec.parse(spec)
    classes = checked_count(num_classes, "num_classes", 1)
    seed = checked_count(seed, "seed", 0)
    clean = checked_labels(labels, classes)
    sizes = class_sizes(clean, classes)
    settled = parsed.settled(dataset, classes)
    model = get(settled.kind)
    if model.features and features is None:
        raise NoiseError(f"{settled}: needs features: {model.features}")
    if model.features and features is not None and len(features) != len(clean):
        raise NoiseError(f"{settled}: {len(features)} rows of features for {len(clean)} labels")
    options = settled.values(dataset, classes)
    task = Task(settled.kind, clean, classes, sizes, settled.rate, options, seed, dataset, features)
    draw = model.draw(task)
    return NoisyLabels(
        draw.noisy, clean, classes, settled, seed, dataset, draw.replaced, draw.source, draw.details
    )


def verify(
    artefact: NoisyLabels,
    *,
    labels: ArrayLike | None = None,
    features: NDArray[Any] | None = None,
) -> None:
    """Draw the artefact again from its spec and seed; NoiseError says what disagrees.

    labels: the data set's clean labels, if its order is to be checked too. features: as for make.
    """
    if labels is not None:
        clean = checked_labels(labels, artefact.num_classes)
        if clean.shape != artefact.clean.shape:
            raise NoiseError(
                f"{artefact.spec}: made from {len(artefact)} labels, the data set has {len(clean)}"
            )
        _compare(f"{artefact.spec}: clean labels and the data set's", artefact.clean, clean)
    again = make(
        artefact.spec,
        artefact.clean,
        num_classes=artefact.num_classes,
        seed=artefact.seed,
        features=features,
        dataset=artefact.dataset,
    )
    name = f"{artefact.spec} seed {artefact.seed} (generator {GENERATOR_VERSION})"
    _compare(f"{name}: noisy labels and those drawn again", artefact.noisy, again.noisy)
    if artefact.fingerprint != again.fingerprint:
        raise NoiseError(f"{name}: replaced images differ from those drawn again")


def _compare(what: str, one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    wrong = np.flatnonzero(one != other)
    if len(wrong):
        raise NoiseError(
            f"{what} disagree at {len(wrong)} of {len(one)} samples, first at index {wrong[0]} "
            f"({one[wrong[0]]} and {other[wrong[0]]})"
        )
