"""Speed and memory of every noise model, as rows for ``nlbench bench``."""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.noise import bench_files
from nlbench.noise.labels import NoisyLabels
from nlbench.noise.make import make, needs
from nlbench.noise.rng import below, generator, raw, unit


@dataclass(frozen=True)
class Case:
    """One line of the benchmark: a setting and the size of the data it is drawn for."""

    spec: str
    samples: int = 50_000
    num_classes: int = 10
    features: tuple[int, ...] = ()  # shape of an image, or (K,) for softmax outputs
    file: str = ""  # what the model reads, see ``nlbench.noise.bench_files``

    @property
    def limit(self) -> float:
        """Seconds that this may take on two cores.

        Labels alone: 10 ms for 50,000, 1 s for a web-scale set; 1.5 s from the pixels of CIFAR,
        1 s from a cached softmax.
        """
        if self.features:
            return 1.5 if needs(self.spec) == ("pixels",) else 1.0
        return 0.01 if self.samples <= 50_000 else 1.0


LIMIT_MB = 1000.0
"""Memory beyond the inputs that any case may take; a K x K x N array would take 8,000,000."""

CIFAR = (3, 32, 32)
CASES = (
    Case("clean"),
    Case("symmetric:0.4"),
    Case("symmetric:0.4", num_classes=100),
    Case("symmetric:0.4:true=include:count=overall"),
    Case("symmetric:0.4:count=bernoulli"),
    Case("symmetric:0.4:legacy=equal-count"),
    Case("symmetric:0.4:legacy=truncated"),
    Case("symmetric:0.4:legacy=pair-truncated"),
    Case("asymmetric:0.4:map=cifar10/standard"),
    Case("asymmetric:0.4:map=superclass", num_classes=100),
    Case("asymmetric:0.4:map=sce", num_classes=100),
    Case("asymmetric:0.4:map=cifar10/standard:count=bernoulli"),
    Case("asymmetric:0.4:map=cifar10/standard:legacy=sequential"),
    Case("asymmetric:0.4:map=cifar10/standard:legacy=truncated"),
    Case("pair:0.4"),
    Case("pair:0.4", num_classes=100),
    Case("transition:matrix.csv", file="matrix.csv"),
    Case("transition:matrix.csv", num_classes=100, file="matrix.csv"),
    Case("transition:matrix.csv:count=bernoulli", file="matrix.csv"),
    Case("human:worse", file="CIFAR-10_human.pt"),
    Case("human:fine", num_classes=100, file="CIFAR-100_human.pt"),
    Case("file:labels.npy", file="labels.npy"),
    Case("file:labels.json", file="labels.json"),
    Case("file:labels.csv", num_classes=100, file="labels.csv"),
    Case("openset:0.3:from=mnist"),
    Case("openset:0.3:from=mnist", num_classes=100),
    Case("symmetric:0.2+pair:0.2"),
    Case("instance:0.4", features=CIFAR),
    Case("instance:0.4", num_classes=100, features=CIFAR),
    Case("instance:0.4:scale=unitnorm", features=CIFAR),
    Case("instance:0.4:scale=raw:bias=legacy", features=CIFAR),
    Case("instance:0.4:projection=shared", features=CIFAR),
    Case("confidence:0.4", features=(10,)),
    Case("confidence:0.4", num_classes=100, features=(100,)),
    *(Case(f"pmd:0.35:type={kind}", features=(10,)) for kind in (1, 2, 3)),
    Case("pmd:0.35", num_classes=100, features=(100,)),
    Case("symmetric:0.4", 1_000_000, 1000),
    Case("symmetric:0.4:count=bernoulli", 1_000_000, 1000),
    Case("asymmetric:0.4:map=block5", 1_000_000, 1000),
    Case("pair:0.4", 1_000_000, 1000),
    Case("transition:matrix.npy", 1_000_000, 1000, file="matrix.npy"),
    Case("file:labels.npy", 1_000_000, 1000, file="labels.npy"),
    Case("openset:0.3:from=mnist", 1_000_000, 1000),
    Case("symmetric:0.2+pair:0.2", 1_000_000, 1000),
)


def run(cases: tuple[Case, ...] = CASES, repeats: int = 3) -> list[dict[str, Any]]:
    """Return one row per case: best of ``repeats`` seconds, labels/s, memory, and the limits.

    ``within``: both limits hold here. Memory is the peak beyond the inputs, measured in a
    separate run, which the tracing slows down.
    """
    return [_row(case, repeats) for case in cases]


def _row(case: Case, repeats: int) -> dict[str, Any]:
    labels, features = _inputs(case)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if case.file:
            bench_files.write(case.file, folder, labels, case.num_classes)

        def draw() -> NoisyLabels:
            k = case.num_classes
            return make(case.spec, labels, num_classes=k, seed=0, features=features, folder=folder)

        seconds = min(_seconds(draw) for _ in range(repeats))
        made, peak = _traced(draw)
    return {
        "model": case.spec,
        "samples": case.samples,
        "num_classes": case.num_classes,
        "features": int(np.prod(case.features)) if case.features else 0,
        "seconds": seconds,
        "limit": case.limit,
        "labels_per_second": case.samples / seconds,
        "peak_mb": peak / 1e6,
        "within": "yes" if seconds < case.limit and peak / 1e6 < LIMIT_MB else "NO",
        "realised_rate": made.realised_rate,
    }


def _traced(draw: Callable[[], NoisyLabels]) -> tuple[NoisyLabels, int]:
    tracemalloc.start()
    try:
        return draw(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


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
