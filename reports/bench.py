"""Synthetic records, and how long a full report of them takes."""

from __future__ import annotations

import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.canonical import sha256_of
from benchmark.recipe import Recipe
from benchmark.record import CURVES, RunRecord, pack_bits
from benchmark.spec import DatasetSpec, MethodSpec, RunSpec
from reports.assemble import build
from reports.study import Study

CLASSES = 10
METHODS = ("ce", "gce", "drainage", "sce", "nce_rce", "elr", "mae", "taylor_ce", "jsd", "ana")
NOISE = (
    "clean",
    *(
        f"{kind}:{rate / 10:g}"
        for kind in ("symmetric", "pair", "instance")
        for rate in range(1, 7)
    ),
    "asymmetric:0.4",
)
EPOCHS = 20
TEST_SIZE = 1000


def synthetic(
    n: int = 10_000,
    methods: tuple[str, ...] = METHODS,
    noise: tuple[str, ...] = NOISE,
    seed: int = 0,
) -> tuple[Study, list[RunRecord]]:
    """A study of about ``n`` runs and made-up records of all of them.

    Accuracies follow a plain model: a method's robustness slows the fall with the noise rate, and
    seeds share luck across methods. They are for timing and tests and mean nothing.

    Args:
        n: runs; the number of seeds is n // (methods x conditions), at least 1.
        methods: names.
        noise: noise lines.
        seed: of the made-up numbers.
    """
    draws = np.random.Generator(np.random.Philox(seed))
    seeds = max(1, n // (len(methods) * len(noise)))
    specs = tuple(
        RunSpec(
            dataset=DatasetSpec("fashion_mnist", 1000),
            model="cnn_small",
            method=MethodSpec.of(method, {}),
            noise=line,
            seed=s,
            recipe=Recipe(epochs=EPOCHS),
        )
        for line, s, method in product(noise, range(seeds), methods)
    )
    luck = {key: float(draws.normal()) for key in product(noise, range(seeds))}
    records = [
        _record(spec, methods.index(spec.method.name), luck[spec.noise, spec.seed], draws)
        for spec in specs
    ]
    study = Study(
        name="synthetic",
        title="Made-up records",
        description="Not measured: numbers from a random generator, for timing and tests.",
        specs=specs,
        sha256=sha256_of(sorted(spec.run_id for spec in specs)),
        baseline=methods[0],
    )
    return study, records


def run(n: int = 10_000) -> dict[str, Any]:
    """Time a full report of ``n`` synthetic records, all tables and figures.

    Returns:
        ``records``, ``seconds``, ``records_per_second`` and ``files``.
    """
    study, records = synthetic(n)
    with tempfile.TemporaryDirectory() as folder:
        clock = time.perf_counter()
        built = build(study, records, Path(folder))
        seconds = time.perf_counter() - clock
    return {
        "records": len(records),
        "seconds": round(seconds, 2),
        "records_per_second": round(len(records) / seconds, 1),
        "files": len(built.files),
    }


def _record(spec: RunSpec, strength: int, luck: float, draws: np.random.Generator) -> RunRecord:
    words = spec.noise.split(":")
    rate = float(words[1]) if len(words) > 1 else 0.0
    robust = strength / (strength + 1.5)
    final = 0.9 - rate**2 * (1 - robust) * 0.8 - 0.01 * robust + 0.004 * luck
    final = float(np.clip(final + 0.003 * draws.normal(), 0.0, 1.0))
    epochs = np.arange(1, EPOCHS + 1) / EPOCHS
    memorised = (1 - robust) * epochs**2 * 0.8 + 0.02
    rise = 1 - np.exp(-6 * epochs)
    curves = {
        "train_loss": 2.3 * np.exp(-2 * epochs),
        "test_accuracy": np.clip(final * rise / rise[-1] + 0.05 * rate * (1 - epochs), 0, 1),
        "clean_fit": 0.95 * rise,
        "flipped_fit_given": memorised if rate else np.full(EPOCHS, np.nan),
        "flipped_fit_true": 0.9 * rise * (1 - memorised) if rate else np.full(EPOCHS, np.nan),
    }
    if spec.method.name == "drainage":
        curves["drainage_clean"] = 0.1 * epochs
        curves["drainage_flipped"] = 0.7 * rise if rate else np.full(EPOCHS, np.nan)
    correct = draws.random(TEST_SIZE) < final
    shared = {"data": "data", "split": "split", "order": "order", "augment": "augment"}
    return RunRecord(
        spec=spec,
        status="ok",
        data_label="Fashion-MNIST (1,000 per class)",
        metrics={
            "last": final,
            "noisy_val": None,
            "clean_val": None,
            "oracle": float(np.max(curves["test_accuracy"])),
            "oracle_epoch": int(np.argmax(curves["test_accuracy"])) + 1,
        },
        curves={
            name: tuple(None if np.isnan(v) else round(float(v), 6) for v in curves.get(name, ()))
            for name in CURVES
        },
        noise={
            "spec": spec.noise,
            "nominal": rate,
            "realised": rate,
            "num_classes": CLASSES,
            "fingerprint": sha256_of([spec.noise, spec.seed]),
        },
        pairing={
            **{key: sha256_of([value, spec.seed]) for key, value in shared.items()},
            "labels": sha256_of([spec.noise, spec.seed]),
            "init": sha256_of(["init", spec.seed]),
        },
        test_correct=pack_bits(correct),
        test_size=TEST_SIZE,
        environment={
            "nlbench": "0",
            "python": "3.11",
            "torch": "0",
            "numpy": "2",
            "platform": "none",
            "device": "cpu",
            "threads": 1,
            "backend": "none",
            "deterministic": True,
            "commit": None,
            "dirty": None,
        },
        timing={"started": "2026-01-01T00:00:00+00:00", "seconds": 1.0},
    )
