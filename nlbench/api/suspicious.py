"""``nlbench.suspicious``: which labels look wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nlbench.api.labels import coded
from nlbench.benchmark import selection
from nlbench.benchmark.datasets import npz
from nlbench.benchmark.datasets.base import Pixels, channel_statistics
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.suspicious.out_of_fold import METHODS, Setting
from nlbench.benchmark.suspicious.samples import Samples
from nlbench.suspects import find


def suspicious(
    images: object,
    labels: object,
    *,
    methods: str | Iterable[str] = METHODS,
    folds: int = 5,
    epochs: int | None = None,
    lr: float = 0.02,
    model: str | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int = 1,
    folder: str | Path | None = None,
    quiet: bool = True,
) -> pd.DataFrame:
    """Find labels that look wrong, by networks that were not trained on the samples they judge.

    >>> import nlbench
    >>> import sklearn.datasets
    >>> digits = sklearn.datasets.load_digits()
    >>> images, labels = digits.images[:300], digits.target[:300].copy()
    >>> labels[7] = 1  # a seven
    >>> found = nlbench.suspicious(images, labels, methods="ce", model="mlp", epochs=20)
    >>> found[found["sample"] == 7][["given", "guess", "flagged"]].values.tolist()
    [[1, 7, True]]

    Args:
        images: (N, H, W), (N, C, H, W) or (N, H, W, C) images or (N, D) rows of numbers: an array,
            a list, a tensor or a DataFrame. Columns and channels are standardised.
        labels: one per sample, numbers or names: a list, a tuple, an array, a tensor or a Series.
        methods: the judges, each with its hyper-parameters as in ``gce:q=0.5``.
        folds: parts of the data; each is judged by networks trained on the others.
        epochs: of each training; by default 10, more where these are not 300 steps.
        lr: learning rate at the beginning.
        model: network; by default a small one that fits the images.
        seed: of folds, first weights and batches.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads.
        folder: where finished folds are kept, so that the same call goes on from them.
        quiet: print no line on each fold.

    Returns:
        A row per sample, most suspicious first (of labels with an index, by that index):
        ``sample`` (place in the data), ``given``, ``guess`` (the most probable class), ``score`` (1
        minus the probability of the given label), ``flagged``, ``agree`` (by how many methods).

    Raises:
        UserError, MethodError: both are a ValueError; the line names what is wrong.
    """
    given = coded(labels)
    if len(given.classes) < 2:
        raise UserError(f"labels: all are {given.classes[0]!r}; at least two classes are needed")
    pixels = _pixels(images)
    if len(pixels) != len(given.codes):
        raise UserError(f"{len(given.codes):,} labels for {len(pixels):,} images")
    mean, std = channel_statistics(pixels)
    samples = Samples(
        name="the given images",
        images=pixels,
        given=given.codes,
        class_names=tuple(map(str, given.classes)),
        mean=mean,
        std=std,
    )
    words = selection.split(methods) if isinstance(methods, str) else list(methods)
    setting = Setting(folds, epochs, lr, model, seed, device, threads)
    found = find(samples, words, setting, None if folder is None else Path(folder), _tell(quiet))
    order, table = found.verdict.order, found.table
    classes = np.array(given.classes, dtype=object)
    table["given"] = pd.Series(classes[given.codes[order]]).infer_objects()
    table["guess"] = pd.Series(classes[found.verdict.guess[order]]).infer_objects()
    return table.set_index(labels.index.take(order)) if isinstance(labels, pd.Series) else table


def _tell(quiet: bool) -> Any:
    return (lambda _line: None) if quiet else (lambda line: print(line, file=sys.stderr))  # noqa: T201


def _pixels(images: Any) -> Pixels:
    """Images of any kind as (N, C, H, W)."""
    if isinstance(images, pd.DataFrame):
        for name, column in images.items():
            if not pd.api.types.is_numeric_dtype(column):
                raise UserError(f"images: column {name!r} is {column.dtype}; numbers are needed")
            if column.isna().any():
                raise UserError(
                    f"images: {int(column.isna().sum())} values of {name!r} are missing"
                )
        images = images.to_numpy(dtype=np.float64)
    if hasattr(images, "detach"):
        images = images.detach().cpu()
    try:
        array = np.asarray(images)
    except ValueError as error:
        raise UserError(f"images: of different shapes ({error})") from None
    if not array.size:
        raise UserError(f"images of shape {array.shape}: there are none")
    laid = npz.layout(array, "images")
    return npz.pixels(laid, laid, "images")[0]
