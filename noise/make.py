"""make: from clean labels and a one-line setting to the NoisyLabels artefact; and back again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nlbench.noise.errors import NoiseError, nearest
from nlbench.noise.labels import NoisyLabels
from nlbench.noise.registry import FEATURES, get
from nlbench.noise.spec import NoiseSpec
from nlbench.noise.task import (
    GENERATOR_VERSION,
    Task,
    checked_count,
    checked_index,
    checked_labels,
    class_sizes,
)

Features = NDArray[Any] | Mapping[str, NDArray[Any]] | None


def make(
    spec: NoiseSpec | str,
    labels: ArrayLike,
    *,
    num_classes: int,
    seed: int,
    features: Features = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
    index: ArrayLike | None = None,
) -> NoisyLabels:
    """Corrupt clean labels according to ``spec``; the same arguments give the same bits anywhere.

    labels: (N,) integers in [0, num_classes), every class present. seed: >= 0.
    features: what the kind needs (see ``needs``), as one array or as a mapping such as
    {"pixels": (N, C, H, W), "softmax": (N, K)}; ignored by kinds that need none.
    dataset: name that settles the flip map where the setting does not name one.
    folder: where files named in the setting and the published human labels are looked for.
    index: (N,) positions of the samples in the published order, for label files of the full set.
    The inputs are never written to. NoiseError (one line) for anything that does not fit.
    """
    parsed = NoiseSpec.parse(spec)
    classes = checked_count(num_classes, "num_classes", 1)
    seed = checked_count(seed, "seed", 0)
    clean = checked_labels(labels, classes)
    settled = parsed.settled(dataset, classes)
    base = Task(
        kind=settled.kind,
        labels=clean,
        num_classes=classes,
        sizes=class_sizes(clean, classes),
        rate=settled.rate,
        options={},
        seed=seed,
        dataset=dataset,
        folder=None if folder is None else Path(folder),
        index=checked_index(index, len(clean)),
    )
    parts = tuple(
        _task(base, part, features, position) for position, part in enumerate(settled.parts)
    )
    task = replace(base, parts=parts) if parts else _task(base, settled, features, 0)
    draw = get(task.kind).draw(task)
    return NoisyLabels(
        draw.noisy, clean, classes, settled, seed, dataset, draw.replaced, draw.source, draw.details
    )


def needs(spec: NoiseSpec | str) -> tuple[str, ...]:
    """Return which features a setting needs, as keys of ``FEATURES``: pixels, softmax or none."""
    parsed = NoiseSpec.parse(spec)
    kinds = [part.kind for part in parsed.parts] or [parsed.kind]
    return tuple(sorted({get(kind).needs for kind in kinds} - {""}))


def _task(base: Task, spec: NoiseSpec, features: Features, part: int) -> Task:
    options = spec.values(base.dataset, base.num_classes)
    chosen = _chosen(spec, features, len(base.labels))
    return replace(
        base, kind=spec.kind, rate=spec.rate, options=options, features=chosen, part=part
    )


def _chosen(spec: NoiseSpec, features: Features, size: int) -> NDArray[Any] | None:
    need = get(spec.kind).needs
    if not need:
        return None
    if isinstance(features, Mapping):
        for name in features:
            if name not in FEATURES:
                raise NoiseError(f"features: unknown kind '{name}'; {nearest(name, FEATURES)}")
        chosen = features.get(need)
    else:
        chosen = features
    if chosen is None:
        raise NoiseError(f"{spec}: needs {need}: {FEATURES[need]}")
    if len(chosen) != size:
        raise NoiseError(f"{spec}: {len(chosen)} rows of {need} for {size} labels")
    return np.asarray(chosen)


def verify(
    artefact: NoisyLabels,
    *,
    labels: ArrayLike | None = None,
    features: Features = None,
    folder: str | Path | None = None,
    index: ArrayLike | None = None,
) -> None:
    """Draw the artefact again from its spec and seed; NoiseError names what differs.

    labels: the data set's clean labels, if its order is to be checked too. Others: as for make.
    """
    if labels is not None:
        clean = checked_labels(labels, artefact.num_classes)
        if clean.shape != artefact.clean.shape:
            raise NoiseError(
                f"{artefact.spec}: made from {len(artefact)} labels, the data set has {len(clean)}"
            )
        _compare(f"{artefact.spec}: clean labels and the data set's", artefact.clean, clean)
    if artefact.generator != GENERATOR_VERSION:
        raise NoiseError(
            f"{artefact.spec}: drawn by generator {artefact.generator}, this version has "
            f"{GENERATOR_VERSION}: the labels are sound but cannot be drawn again here"
        )
    again = make(
        artefact.spec,
        artefact.clean,
        num_classes=artefact.num_classes,
        seed=artefact.seed,
        features=features,
        dataset=artefact.dataset,
        folder=folder,
        index=index,
    )
    name = f"{artefact.spec} seed {artefact.seed} (generator {GENERATOR_VERSION})"
    _compare(f"{name}: noisy labels and those drawn again", artefact.noisy, again.noisy)
    if artefact.fingerprint != again.fingerprint:
        raise NoiseError(f"{name}: replaced images differ from those drawn again")
    for fact, value in artefact.details.items():
        if again.details.get(fact) != value:
            raise NoiseError(
                f"{name}: same labels, but {fact} was {value} and is now {again.details.get(fact)}"
            )


def _compare(what: str, one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    wrong = np.flatnonzero(one != other)
    if len(wrong):
        raise NoiseError(
            f"{what} disagree at {len(wrong)} of {len(one)} samples, first at index {wrong[0]} "
            f"({one[wrong[0]]} and {other[wrong[0]]})"
        )
