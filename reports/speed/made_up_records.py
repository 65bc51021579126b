"""Made-up records of a made-up study, for timing and tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store import names
from nlbench.benchmark.store.record import CURVES, RunRecord, pack_bits
from nlbench.reports.read.study import Study
from nlbench.reports.speed.made_up_parts import SAMPLES, detection, open_set

CLASSES = 10
UNKNOWN = "classes:4"
METHODS = ("ce", "gce", "drainage", "sce", "nce_rce", "elr", "mae", "taylor_ce", "jsd", "ana")
NOISE = (
    "clean",
    *(f"{kind}:{rate / 10:g}" for kind in ("symmetric", "instance") for rate in range(1, 7)),
    *(f"pair:{rate / 20:g}" for rate in range(1, 7)),  # a rate of pair flips is below 0.5
    "asymmetric:0.4",
)
EPOCHS = 20
TEST_SIZE = 10_000


def declared(
    n: int,
    methods: tuple[str, ...] = METHODS,
    noise: tuple[str, ...] = NOISE,
    open_share: float = 0.0,
    eval_every: int = 1,
) -> Study:
    """A study of about ``n`` runs.

    Args:
        n: runs; the number of seeds is n // (methods x conditions), at least 1.
        methods: names.
        noise: noise lines.
        open_share: share of the seeds whose data set leaves classes unknown, in [0, 1].
        eval_every: accuracies after every so many epochs.
    """
    seeds = max(1, n // (len(methods) * len(noise)))
    closed = seeds - round(open_share * seeds)
    whole, recipe = DatasetSpec("fashion_mnist", 1000), Recipe(epochs=EPOCHS, eval_every=eval_every)
    split = replace(whole, unknown=UNKNOWN)
    data = [whole if s < closed else split.settled(s) for s in range(seeds)]
    settings = {method: MethodSpec.of(method, {}) for method in methods}
    specs = tuple(
        RunSpec(
            dataset=data[s],
            model="cnn_small",
            method=settings[method],
            noise=line,
            seed=s,
            recipe=recipe,
        )
        for line, s, method in product(noise, range(seeds), methods)
    )
    return Study(
        name="synthetic",
        title="Made-up records",
        description="Not measured: numbers from a random generator, for timing and tests.",
        specs=specs,
        sha256=sha256_of(sorted(spec.run_id for spec in specs)),
        baseline=methods[0],
    )


def made_up(study: Study, seed: int = 0, parts: bool = False) -> Iterator[RunRecord]:
    """A made-up record of every run of the study.

    Accuracies follow a plain model: a method's robustness slows the fall with the noise rate, and
    seeds share a random effect across methods. They are for timing and tests alone.

    Args:
        study: from :func:`declared`.
        seed: of the generator.
        parts: whether records hold what an engine writes beside accuracies (detection of flipped
            labels, open-set recognition, their curves).
    """
    draws = np.random.Generator(np.random.Philox(seed))
    methods = list(dict.fromkeys(spec.method.name for spec in study.specs))
    places = dict.fromkeys((spec.noise, spec.seed) for spec in study.specs)
    luck = dict(zip(places, draws.normal(size=len(places)).tolist(), strict=True))
    for spec in study.specs:
        record = _record(spec, methods.index(spec.method.name), luck[spec.noise, spec.seed], draws)
        yield _with_parts(record, draws) if parts else record


def synthetic(
    n: int = 10_000, methods: tuple[str, ...] = METHODS, noise: tuple[str, ...] = NOISE
) -> tuple[Study, list[RunRecord]]:
    """A study of about ``n`` runs and made-up records of all of them."""
    study = declared(n, methods, noise)
    return study, list(made_up(study))


def _with_parts(record: RunRecord, draws: np.random.Generator) -> RunRecord:
    spec, rate = record.spec, float(record.noise["nominal"])
    extra_output = spec.method.name == "drainage"
    extra: dict[str, Any] = {}
    if rate:
        extra["detection"] = detection(rate, extra_output, spec.seed == 0, draws)
    if spec.dataset.unknown is not None:
        extra["open_set"] = open_set(record.metrics["last"], extra_output, draws)
    found = 0.5 + 0.4 * np.exp(-np.arange(EPOCHS) / EPOCHS)
    detect = {"detect_loss": True, names.CURVE_AUROC: extra_output}
    curves = {name: tuple(found.tolist()) for name, has in detect.items() if rate and has}
    return replace(record, evaluations=extra, curves={**record.curves, **curves})


def _record(spec: RunSpec, strength: int, luck: float, draws: np.random.Generator) -> RunRecord:
    words = spec.noise.split(":")
    rate = float(words[1]) if len(words) > 1 else 0.0
    robust = strength / (strength + 1.5)
    final = 0.9 - rate**2 * (1 - robust) * 0.8 - 0.01 * robust + 0.004 * luck
    final = float(np.clip(final + 0.003 * draws.normal(), 0.0, 1.0))
    correct = draws.random(TEST_SIZE) < final
    final = int(correct.sum()) / TEST_SIZE
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
        curves[names.MEAN_CLEAN] = 0.1 * epochs
        curves[names.MEAN_FLIPPED] = 0.7 * rise if rate else np.full(EPOCHS, np.nan)
    tested = np.array([spec.recipe.evaluates(epoch + 1) for epoch in range(EPOCHS)])
    curves["test_accuracy"] = np.rint(curves["test_accuracy"] * TEST_SIZE) / TEST_SIZE
    curves["test_accuracy"][~tested] = np.nan
    shared = {"data": "data", "split": "split", "order": "order", "augment": "augment"}
    return RunRecord(
        spec=spec,
        status="ok",
        data_label="Fashion-MNIST (1,000 per class)",
        metrics={
            "last": final,
            "noisy_val": None,
            "clean_val": None,
            "oracle": float(np.nanmax(curves["test_accuracy"])),
            "oracle_epoch": int(np.nanargmax(curves["test_accuracy"])) + 1,
        },
        curves={
            name: tuple(None if np.isnan(v) else float(v) for v in curves.get(name, ()))
            for name in CURVES
        },
        noise={
            "spec": spec.noise,
            "nominal": rate,
            "realised": rate,
            "num_classes": CLASSES,
            "samples": SAMPLES,
            "flipped": round(rate * SAMPLES),
            "transition": _transition(rate),
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


def _transition(rate: float) -> list[list[int]]:
    """Counts of classes of one size, flipped to each other class as evenly as it goes."""
    size = SAMPLES // CLASSES
    each, left = divmod(round(rate * size), CLASSES - 1)
    turns = [each + (at < left) for at in range(CLASSES - 1)]
    return [
        [size - sum(turns) if j == i else turns[j - (j > i)] for j in range(CLASSES)]
        for i in range(CLASSES)
    ]
