"""RunSpec in, RunRecord out: prepare, train, select, and say what happened."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

import baselines
from benchmark import models
from benchmark.augment import check_fits
from benchmark.backends import Backend, Choice, Job, Outcome, Task, create
from benchmark.backends.loop import memory_format
from benchmark.device import repeatable
from benchmark.evaluation.final import evaluate
from benchmark.labels import draw_labels
from benchmark.method_source import method_source
from benchmark.openset import with_foreign_images
from benchmark.prepare import BatchPlan, check_batches, draw_split
from benchmark.record import RunRecord, pack_bits
from benchmark.resident import Resident, supply
from benchmark.spec import RunSpec
from benchmark.streams import Streams

LOOP = Choice("loop")


@dataclass(frozen=True)
class Context:
    """What a run needs besides its spec, and what must not change its result.

    Attributes:
        root: data folder, ``None`` for the default one.
        device: as :func:`benchmark.device.resolve` names it.
        threads: CPU threads of this worker.
        environment: versions, commit and hardware, for the record.
        choice: training backend, as :meth:`benchmark.backends.Choice.resolve` gives it.
        until: no run is started after this time (seconds since 1970), ``None`` = no limit.
        loaders: processes that decode images of data sets in files; 0 = the worker itself.
    """

    root: Path | None
    device: str
    threads: int
    environment: Mapping[str, Any]
    choice: Choice = LOOP
    until: float | None = None
    loaders: int = 0


def train(spec: RunSpec, context: Context, backend: Backend | None = None) -> RunRecord:
    """Train one run and describe it; a run that raises becomes a record with status ``failed``."""
    (record,) = train_pack([spec], replace(context, until=None), backend)
    return record


def train_pack(
    specs: Sequence[RunSpec], context: Context, backend: Backend | None = None
) -> Iterator[RunRecord]:
    """Train runs of one pack key and yield the record of each as soon as it ends.

    Raises:
        BackendError: the backend does not work here; runs already yielded are done.
    """
    backend = backend or create(context.choice)
    runs = [_Run(spec, context) for spec in specs]
    with repeatable(context.threads, context.choice.strict):
        for position, ended in backend.train_pack(_jobs(runs, context.until)):
            yield runs[position].record(ended, backend)


def _jobs(runs: Sequence[_Run], until: float | None) -> Iterator[Job]:
    for run in runs:
        if until is not None and time.time() > until:
            return
        yield run.prepare


class _Run:
    """One run of a pack: prepared when its turn comes, described when it ends."""

    def __init__(self, spec: RunSpec, context: Context) -> None:
        self.spec = spec
        self.context = context
        self.task: Task | None = None
        self.source = ""
        self.pairing: dict[str, str] = {}
        self.started = datetime.now(UTC)
        self.clock = time.perf_counter()

    def prepare(self) -> Task:
        """The task, made anew on every call."""
        self.started, self.clock = datetime.now(UTC), time.perf_counter()
        # First, so that what is hashed is what is imported, and a run that fails has it as well.
        self.source = method_source(self.spec.method.name)
        self.task, self.pairing = prepare(self.spec, self.context)
        return self.task

    def record(self, ended: Outcome | Exception, backend: Backend) -> RunRecord:
        """The record of how it ended; what it needed is let go."""
        try:
            if isinstance(ended, Exception):
                raise ended
            record = self._finished(ended)
        except Exception as error:  # noqa: BLE001  # any failure is a record; the others go on
            record = _failed(self.spec, error)
        self.task = None
        choice = self.context.choice
        return replace(
            record,
            method_source=self.source,
            environment={
                **self.context.environment,
                "threads": self.context.threads,
                "backend": backend.name,
                "slots": backend.slots,
                **backend.facts,
                "compiled": choice.compiled,
                "deterministic": choice.strict,
            },
            timing={
                "started": self.started.isoformat(timespec="seconds"),
                "seconds": round(time.perf_counter() - self.clock, 3),
            },
        )

    def _finished(self, outcome: Outcome) -> RunRecord:
        task = self.task
        assert task is not None
        return RunRecord(
            spec=self.spec,
            status="ok" if outcome.diverged is None else "diverged",
            data_label=task.data.dataset.label,
            error=_divergence(outcome),
            metrics=select(outcome.curves) if outcome.diverged is None else {},
            curves={name: tuple(curve) for name, curve in outcome.curves.items()},
            noise=task.labels.describe(),
            pairing={**self.pairing, **task.plan.fingerprints()},
            test_correct="" if outcome.correct is None else pack_bits(outcome.correct),
            test_size=0 if outcome.correct is None else len(outcome.correct),
            extra=self._extra(task, outcome) if outcome.diverged is None else {},
        )

    def _extra(self, task: Task, outcome: Outcome) -> dict[str, Any]:
        """What was asked of the network at the end, and its accuracy on further test sets."""
        others = {"test_sets": outcome.others} if outcome.others else {}
        return {**evaluate(task, self.spec.seed), **others}


def prepare(spec: RunSpec, context: Context) -> tuple[Task, dict[str, str]]:
    """Everything random of a run, decided and fingerprinted, before the first step."""
    device = torch.device(context.device)
    data = supply(spec.dataset, context.root, device, context.loaders)
    dataset = data.dataset
    check_fits(spec.recipe.augment, not isinstance(data, Resident), dataset.name)
    labels = draw_labels(spec.noise, spec.dataset, spec.seed, context.root, device)
    if isinstance(data, Resident):
        data = with_foreign_images(data, labels, context.root)
    split = draw_split(spec, len(dataset.y_train))
    check_batches(spec, len(split.train))
    method = baselines.create(spec.method.name, spec.method.values)
    streams = Streams(spec.seed)
    network = models.build(spec.model, dataset.in_shape, method.num_outputs(dataset.num_classes))
    models.initialise(network, lambda name: streams.generator("init", name), dataset.num_classes)
    models.load_weights(network, spec.model, context.root)
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

    Only epochs that were evaluated can be chosen; the last one always was.

    ``last``: the last epoch. ``noisy_val`` / ``clean_val``: the epoch best on the held-out images
    by their noisy / clean labels. ``oracle``: the best test epoch, which nobody can know.
    """
    test = curves["test_accuracy"]
    chosen: dict[str, float | int | None] = {"last": test[-1]}
    rules = {"noisy_val": "val_noisy", "clean_val": "val_clean", "oracle": "test_accuracy"}
    for rule, curve in rules.items():
        values = [-math.inf if value is None else value for value in curves[curve]]
        best = values.index(max(values)) if any(v is not None for v in curves[curve]) else None
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
