"""RunSpec in, RunRecord out: prepare, train, select, and say what happened."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

import baselines
from benchmark import models
from benchmark.backends import Backend, LoopBackend, Outcome, Task
from benchmark.backends.loop import memory_format
from benchmark.device import repeatable
from benchmark.labels import draw_labels
from benchmark.openset import with_foreign_images
from benchmark.prepare import BatchPlan, check_batches, draw_split
from benchmark.record import RunRecord, pack_bits
from benchmark.resident import resident
from benchmark.spec import RunSpec
from benchmark.streams import Streams


@dataclass(frozen=True)
class Context:
    """What a run needs besides its spec, and what must not change its result.

    Attributes:
        root: data folder, ``None`` for the default one.
        device: as :func:`benchmark.device.resolve` names it.
        threads: CPU threads of this worker.
        environment: versions, commit and hardware, for the record.
    """

    root: Path | None
    device: str
    threads: int
    environment: Mapping[str, Any]


def train(spec: RunSpec, context: Context, backend: Backend | None = None) -> RunRecord:
    """Train one run and describe it; a run that raises becomes a record with status ``failed``."""
    backend = backend or LoopBackend()
    started, clock = datetime.now(UTC), time.perf_counter()
    with repeatable(context.threads):
        try:
            record = _train(spec, context, backend)
        except Exception as error:  # noqa: BLE001  # any failure is a record; the others go on
            record = _failed(spec, error)
    return replace(
        record,
        environment={
            **context.environment,
            "threads": context.threads,
            "backend": backend.name,
            "deterministic": True,
        },
        timing={
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - clock, 3),
        },
    )


def _train(spec: RunSpec, context: Context, backend: Backend) -> RunRecord:
    task, pairing = prepare(spec, context)
    outcome = backend.train(task)
    return RunRecord(
        spec=spec,
        status="ok" if outcome.diverged is None else "diverged",
        data_label=task.data.dataset.label,
        error=_divergence(outcome),
        metrics=select(outcome.curves) if outcome.diverged is None else {},
        curves={name: tuple(curve) for name, curve in outcome.curves.items()},
        noise=task.labels.describe(),
        pairing={**pairing, **task.plan.fingerprints()},
        test_correct="" if outcome.correct is None else pack_bits(outcome.correct),
        test_size=0 if outcome.correct is None else len(outcome.correct),
    )


def prepare(spec: RunSpec, context: Context) -> tuple[Task, dict[str, str]]:
    """Everything random of a run, decided and fingerprinted, before the first step."""
    device = torch.device(context.device)
    data = resident(spec.dataset, context.root, device)
    dataset = data.dataset
    labels = draw_labels(spec.noise, spec.dataset, spec.seed, context.root, device)
    data = with_foreign_images(data, labels, context.root)
    split = draw_split(spec, len(dataset.y_train))
    check_batches(spec, len(split.train))
    method = baselines.create(spec.method.name, spec.method.values)
    streams = Streams(spec.seed)
    network = models.build(spec.model, dataset.in_shape, method.num_outputs(dataset.num_classes))
    models.initialise(network, lambda name: streams.generator("init", name), dataset.num_classes)
    pairing = {
        "data": dataset.fingerprint,
        "labels": labels.fingerprint,
        "split": split.fingerprint,
        "init": models.init_fingerprint(network, dataset.num_classes),
    }
    master = torch.float64 if spec.recipe.precision == "float64" else torch.float32
    task = Task(
        network=memory_format(network.to(device, master)),
        method=method,
        data=data,
        labels=labels,
        split=split,
        plan=BatchPlan(spec, split.train, dataset.in_shape[1:]),
        recipe=spec.recipe,
        device=device,
    )
    return task, pairing


def select(curves: Mapping[str, Sequence[float | None]]) -> dict[str, float | int | None]:
    """The four accuracies from one run's curves; the earliest of equal epochs is chosen.

    ``last``: the last epoch. ``noisy_val`` / ``clean_val``: the epoch best on the held-out images
    by their noisy / clean labels. ``oracle``: the best test epoch, which nobody can know.
    """
    test = curves["test_accuracy"]
    chosen: dict[str, float | int | None] = {"last": test[-1]}
    rules = {"noisy_val": "val_noisy", "clean_val": "val_clean", "oracle": "test_accuracy"}
    for rule, curve in rules.items():
        values = [-1.0 if value is None else value for value in curves[curve]]
        best = values.index(max(values)) if values else None
        chosen[rule] = None if best is None else test[best]
        chosen[f"{rule}_epoch"] = None if best is None else best + 1
    return chosen


def _divergence(outcome: Outcome) -> dict[str, Any] | None:
    if outcome.diverged is None:
        return None
    message = f"loss or weights were not finite in epoch {outcome.diverged}"
    return {"epoch": outcome.diverged, "message": message, "traceback": None}


def _failed(spec: RunSpec, error: Exception) -> RunRecord:
    return RunRecord(
        spec=spec,
        status="failed",
        data_label=spec.dataset.name,
        error={
            "epoch": None,
            "message": f"{type(error).__name__}: {error}",
            "traceback": "".join(traceback.format_exception(error)),
        },
    )
