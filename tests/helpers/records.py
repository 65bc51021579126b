"""Records that nobody trained and that hold together, so that stores take them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord

SIZE = 10_000


def sound(spec: RunSpec, accuracy: float = 0.5, **changes: Any) -> RunRecord:
    """A finished run of the spec with this accuracy, a multiple of 1e-4, after every epoch."""
    test = tuple(
        accuracy if spec.recipe.evaluates(e + 1) else None for e in range(spec.recipe.epochs)
    )
    values: dict[str, Any] = {
        "status": "ok",
        "data_label": "Digits",
        "metrics": {"last": accuracy, "oracle": accuracy, "oracle_epoch": spec.recipe.eval_every},
        "curves": {"train_loss": (1.0,) * len(test), "test_accuracy": test},
        "noise": label_facts(spec),
        "test_size": SIZE,
        "environment": {"commit": "c0ffee", "dirty": False, "device": "cpu"},
        "timing": {"started": "2026-01-01T00:00:00+00:00", "seconds": 1.0},
        **changes,
    }
    return RunRecord(spec=spec, **values)


def failed(spec: RunSpec, status: str = "failed", **changes: Any) -> RunRecord:
    """A run that raised, or with ``status="diverged"`` one that diverged in its first epoch."""
    words = {"status": status, "metrics": {}, "curves": {}, "test_size": 0}
    error = {"epoch": 1, "message": "made up", "traceback": None}
    return sound(spec, **{**words, "error": error, **changes})


def label_facts(spec: RunSpec, classes: int = 10, size: int = 100) -> dict[str, Any]:
    """What a record says of its labels: so many of each class, flipped to the next at its rate."""
    words = spec.noise.split(":")
    rate = float(words[1]) if len(words) > 1 and words[0] != "human" else 0.0
    off = round(rate * size)
    row = [size - off, off] + [0] * (classes - 2)
    return {
        "spec": spec.noise,
        "nominal": rate,
        "realised": off / size,
        "num_classes": classes,
        "samples": classes * size,
        "flipped": classes * off,
        "transition": [row[-k:] + row[:-k] for k in range(classes)],
        "fingerprint": sha256_of(["labels", spec.noise, spec.seed]),
    }


def as_failed(record: RunRecord, message: str = "made up") -> RunRecord:
    """The record as if its run had raised an error."""
    error = {"epoch": None, "message": message, "traceback": None}
    return replace(record, status="failed", error=error, metrics={}, curves={}, evaluations={})


def ending_at(record: RunRecord, accuracy: float) -> RunRecord:
    """The record with another last accuracy, a share of its test images, and nothing else odd."""
    test = (*record.curves["test_accuracy"][:-1], accuracy)
    best = max(value for value in test if value is not None)
    metrics = {"last": accuracy, "oracle": best, "oracle_epoch": test.index(best) + 1}
    curves = {**record.curves, "test_accuracy": test, "val_noisy": (), "val_clean": ()}
    return replace(record, metrics=metrics, curves=curves, test_correct="")
