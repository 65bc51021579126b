"""``nlbench.corrupt``: noisy labels of the kind that was given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from nlbench.api.labels import coded
from nlbench.benchmark.errors import UserError
from nlbench.noise import NoiseSpec, NoisyLabels, make

L = TypeVar("L")


@overload
def corrupt(
    labels: L,
    noise: str | NoiseSpec,
    *,
    seed: int = ...,
    features: object = ...,
    num_classes: int | None = ...,
    dataset: str | None = ...,
    folder: str | Path | None = ...,
    details: Literal[False] = ...,
) -> L: ...


@overload
def corrupt(
    labels: L,
    noise: str | NoiseSpec,
    *,
    seed: int = ...,
    features: object = ...,
    num_classes: int | None = ...,
    dataset: str | None = ...,
    folder: str | Path | None = ...,
    details: Literal[True],
) -> tuple[L, NoisyLabels]: ...


def corrupt(
    labels: L,
    noise: str | NoiseSpec,
    *,
    seed: int = 0,
    features: object = None,
    num_classes: int | None = None,
    dataset: str | None = None,
    folder: str | Path | None = None,
    details: bool = False,
) -> L | tuple[L, NoisyLabels]:
    """Draw noisy labels; the same arguments give the same labels on every machine.

    >>> import nlbench
    >>> nlbench.corrupt(["cat", "dog"] * 5, "symmetric:0.4", seed=0)
    ['cat', 'cat', 'dog', 'cat', 'dog', 'dog', 'cat', 'dog', 'cat', 'dog']
    >>> noisy, facts = nlbench.corrupt([0, 1, 2] * 50, "symmetric:0.4", details=True)
    >>> facts
    <NoisyLabels symmetric:0.4, seed 0: 60 of 150 labels flipped, 3 classes, fingerprint 9b3f18ae>
    >>> int(facts.flipped.sum()), facts.transition_counts.tolist()
    (60, [[30, 9, 11], [6, 30, 14], [6, 14, 30]])

    Args:
        labels: one per sample: a list, a tuple, a NumPy array, a torch tensor or a pandas Series,
            of numbers or names. Its distinct values, sorted, are the classes (of a categorical
            Series the categories in their order). It is not changed.
        noise: one line, such as ``symmetric:0.4``, ``asymmetric:0.3:map=block5`` or
            ``symmetric:0.2+instance:0.2``; docs/noise.md has all of them.
        seed: of the noise, a whole number from 0 on.
        features: what the noise depends on, where it does: for ``instance`` images (N, C, H, W) or
            vectors (N, D); an array, a list, a tensor or a DataFrame.
        num_classes: how many classes there must be. Name it where some may be absent from
            ``labels``: without it they would not be classes at all.
        dataset: name of the data set, where the noise depends on it (which class is mistaken for
            which in ``cifar10``).
        folder: where files are that the noise names, and the human labels of CIFAR-N.
        details: whether to return the facts beside the labels.

    Returns:
        Labels of the kind, type and index of those given; with ``details`` also the
        :class:`nlbench.noise.NoisyLabels`: which are flipped, counts of transitions, rates and
        fingerprint, with classes as their places 0 to K - 1; ``save(path)`` writes a label file.

    Raises:
        UserError, NoiseError: both are a ValueError; the line names the value and what is right.
    """
    given = coded(labels, num_classes)
    facts = make(
        noise,
        given.codes,
        num_classes=len(given.classes),
        seed=seed,
        features=_features(features),
        dataset=dataset,
        folder=folder,
    )
    if facts.replaced is not None and not details:
        raise UserError(
            f"noise '{facts.spec}' replaces images and leaves their labels: with details=True,"
            " replaced and source of the facts say which and by what"
        )
    noisy: L = given.back(facts.noisy)
    return (noisy, facts) if details else noisy


def _features(given: object) -> NDArray[Any] | Mapping[str, NDArray[Any]] | None:
    if given is None:
        return None
    if isinstance(given, Mapping):
        return {str(name): _array(values) for name, values in given.items()}
    return _array(given)


def _array(values: Any) -> NDArray[Any]:
    """An array of whatever holds numbers; a tensor may be on a GPU."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise UserError(f"features: rows of different lengths ({error})") from None
    if array.ndim == 4 and array.shape[1] > 4 >= array.shape[3]:
        raise UserError(
            f"features of shape {array.shape}: images should be (N, C, H, W); if these are"
            " (N, H, W, C), features.transpose(0, 3, 1, 2) is that"
        )
    return array
