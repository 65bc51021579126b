"""Speed and memory of every noise model, as rows for ``nlbench bench``."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noise.labels import NoisyLabels
from noise.make import make, needs
from noise.rng import below, generator, raw, unit


@dataclass(frozen=True)
class Case:
    """One line of the benchmark: a setting and the size of the data it is drawn for."""

    spec: str
    samples: int = 50_000
    num_classes: int = 10
    features: tuple[int, ...] = ()  # shape of an image, or (K,) for softmax outputs


CASES = (
    Case("clean"),
    Case("symmetric:0.4"),
    Case("symmetric:0.4", num_classes=100),
    Case("symmetric:0.4", samples=1_000_000, num_classes=1000),
    Case("asymmetric:0.4:map=cifar10/standard"),
    Case("asymmetric:0.4:map=superclass", num_classes=100),
    Case("pair:0.4"),
    Case("instance:0.4", features=(3, 32, 32)),
    Case("instance:0.4", num_classes=100, features=(3, 32, 32)),
    Case("instance:0.4:projection=shared", features=(3, 32, 32)),
    Case("confidence:0.4", features=(10,)),
    Case("confidence:0.4", num_classes=100, features=(100,)),
    Case("pmd:0.35", features=(10,)),
    Case("pmd:0.35", num_classes=100, features=(100,)),
    Case("openset:0.3:from=mnist"),
    Case("symmetric:0.2+pair:0.2"),
    Case("asymmetric:0.4:map=cifar10/standard:legacy=sequential"),
    Case("symmetric:0.4:legacy=pair-truncated"),
    Case("pair:0.4", samples=1_000_000, num_classes=1000),
    Case("symmetric:0.4:count=bernoulli", samples=1_000_000, num_classes=1000),
)


def run(cases: tuple[Case, ...] = CASES, repeats: int = 3) -> list[dict[str, Any]]:
    """Return one row per case: best of ``repeats`` seconds, labels/s, peak MB beyond the inputs.

    Memory is measured in a separate run, which the tracing slows down.
    """
    return [_row(case, repeats) for case in cases]


def _row(case: Case, repeats: int) -> dict[str, Any]:
    labels, features = _inputs(case)

    def draw() -> NoisyLabels:
        return make(case.spec, labels, num_classes=case.num_classes, seed=0, features=features)

    seconds = min(_seconds(draw) for _ in range(repeats))
    tracemalloc.start()
    made = draw()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "model": case.spec,
        "samples": case.samples,
        "num_classes": case.num_classes,
        "features": int(np.prod(case.features)) if case.features else 0,
        "seconds": seconds,
        "labels_per_second": case.samples / seconds,
        "peak_mb": peak / 1e6,
        "realised_rate": made.realised_rate,
    }


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _inputs(case: Case) -> tuple[NDArray[np.int64], NDArray[Any] | None]:
    rng = generator("nlbench-noise-bench", case.samples, case.num_classes)
    # a random order of equally large classes
    labels = np.argsort(raw(rng, case.samples)) % case.num_classes
    if not case.features:
        return labels, None
    if needs(case.spec) == ("softmax",):
        logits = 6.0 * unit(raw(rng, case.samples * case.num_classes))
        logits = logits.reshape(case.samples, case.num_classes)
        logits[np.arange(case.samples), labels] += 4.0
        softmax = np.exp(logits)
        return labels, softmax / softmax.sum(axis=1, keepdims=True)
    pixels = below(raw(rng, case.samples * int(np.prod(case.features))), 256).astype(np.uint8)
    return labels, pixels.reshape(case.samples, *case.features)
