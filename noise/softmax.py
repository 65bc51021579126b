"""Softmax outputs as input of noise models: checked, ranked and identified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError
from nlbench.noise.registry import Scalar
from nlbench.noise.task import Labels, Task

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TopTwo:
    """Per sample the most and the second most likely class (N,) and their probabilities (N,)."""

    first: Labels
    second: Labels
    first_probability: Floats
    second_probability: Floats


def checked_softmax(task: Task) -> Floats:
    """Return the task's features as (N, K) float64 probabilities; NoiseError if they are not."""
    array = np.asarray(task.features)
    shape = (len(task.labels), task.num_classes)
    if array.shape != shape or array.dtype.kind != "f":
        raise NoiseError(
            f"{task.kind}: softmax of shape {array.shape} and type {array.dtype}, expected floats "
            f"of shape {shape}"
        )
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise NoiseError(f"{task.kind}: softmax holds a value that is not finite")
    sums = values.sum(axis=1)
    wrong = int(np.argmax(np.abs(sums - 1)))
    if values.min() < 0 or abs(sums[wrong] - 1) > 1e-2:
        raise NoiseError(
            f"{task.kind}: row {wrong} of the softmax sums to {sums[wrong]:.4g} with least value "
            f"{values.min():.4g}: not probabilities (logits?)"
        )
    return values


def best_wrong(softmax: Floats, labels: Labels) -> tuple[Labels, Floats]:
    """Return the most likely class other than the true one, and its probability."""
    others = softmax.copy()
    others[np.arange(len(labels)), labels] = -1.0
    candidate = np.argmax(others, axis=1)
    return candidate, others[np.arange(len(labels)), candidate]


def top_two(softmax: Floats) -> TopTwo:
    """Return the two most likely classes of each sample; ties go to the lower class."""
    first = np.argmax(softmax, axis=1)
    second, second_probability = best_wrong(softmax, first)
    first_probability = softmax[np.arange(len(first)), first]
    return TopTwo(first, second, first_probability, second_probability)


def softmax_facts(array: NDArray[Any] | None) -> dict[str, Scalar]:
    """Return the SHA-256 of the softmax as float64: which network's confidences were used."""
    values = np.ascontiguousarray(array, dtype="<f8")
    return {"softmax_sha256": hashlib.sha256(values.data).hexdigest()}
