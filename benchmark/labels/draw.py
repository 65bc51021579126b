"""Labels of a run: its noise line, drawn for its data set with whatever the noise model needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nlbench import noise
from nlbench.benchmark import datasets
from nlbench.benchmark.datasets import AnyDataset
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels import confidences
from nlbench.benchmark.pipeline.select import described, host, original_index
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.noise import NoiseSpec, NoisyLabels


def draw_labels(
    line: str,
    spec: DatasetSpec,
    seed: int,
    root: Path | None,
    device: torch.device | None = None,
) -> NoisyLabels:
    """The noisy labels of the whole training set of ``spec``, before anything is held out.

    Args:
        line: the noise, e.g. ``symmetric:0.4``.
        spec: data set and how much of it.
        seed: the run's seed.
        root: data folder; label files (human labels, ``file=...``) are looked for there.
        device: where a network is trained if the noise needs one's confidences and they are not
            cached; the CPU by default.

    Raises:
        noise.NoiseError: a rate, map or option that does not fit this data set.
        UserError: the data set cannot be had.
    """
    dataset = described(spec, root)
    _check_truth(line, dataset)
    return noise.make(
        line,
        dataset.y_train,
        num_classes=dataset.num_classes,
        seed=seed,
        features=_features(line, spec, root, device or torch.device("cpu")),
        dataset=dataset.name,
        folder=datasets.default_root() if root is None else root,
        index=original_index(spec, root),
    )


def _check_truth(line: str, dataset: AnyDataset) -> None:
    """Refuse drawn noise on labels published as noisy, and ``given`` on clean ones (UserError)."""
    truth = noise.get(NoiseSpec.parse(line).kind).truth
    if dataset.given_labels is None or truth != dataset.given_labels:
        return
    if dataset.given_labels:
        raise UserError(
            f"noise {line!r}: the labels of {dataset.name} are noisy as they were published and the"
            " true ones are not known; its noise is 'given'"
        )
    raise UserError(
        f"noise {line!r}: the labels of {dataset.name} are clean; 'given' is for sets with wrong"
        " ones (published so, or your own), 'clean' for these"
    )


def _features(
    line: str, spec: DatasetSpec, root: Path | None, device: torch.device
) -> dict[str, NDArray[Any]]:
    """Only what the noise line needs: pixels are there, confidences may have to be trained."""
    makers: dict[str, Callable[[], NDArray[Any]]] = {
        "pixels": lambda: np.ascontiguousarray(host(spec, root).x_train),
        "softmax": lambda: confidences.softmax(spec, root, device),
    }
    return {need: makers[need]() for need in noise.needs(line)}
