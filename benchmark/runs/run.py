"""RunSpec in, RunRecord out: prepare, train, select, and record what happened."""

from __future__ import annotations

import contextlib
import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch

from nlbench import baselines, noise
from nlbench.baselines import Method
from nlbench.benchmark import models
from nlbench.benchmark.datasets import AnyDataset
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.labels.foreign_images import with_foreign_images
from nlbench.benchmark.machine.device import check_precision, repeatable, resolve
from nlbench.benchmark.machine.environment import environment_here
from nlbench.benchmark.machine.peak import forget_peak, peak
from nlbench.benchmark.models import Classifier
from nlbench.benchmark.pipeline.augment import check_fits
from nlbench.benchmark.pipeline.batches import BatchPlan, check_batches, draw_split
from nlbench.benchmark.pipeline.in_memory import Resident, supply
from nlbench.benchmark.pipeline.select import described
from nlbench.benchmark.runs.evaluate import evaluate
from nlbench.benchmark.runs.limit import Limit
from nlbench.benchmark.runs.method_source import method_source
from nlbench.benchmark.runs.part_sources import part_sources
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord, pack_bits
from nlbench.benchmark.store.verified import unwritable
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training import (
    Backend,
    BackendConfig,
    Job,
    LoopBackend,
    Outcome,
    Task,
    create,
)
from nlbench.benchmark.training.checkpoint import Checkpoints
from nlbench.benchmark.training.limits import check_method, check_pixels
from nlbench.benchmark.training.task import failure
from nlbench.benchmark.training.trainer import memory_format
from nlbench.noise import NoisyLabels

LOOP = BackendConfig("loop")


@dataclass(frozen=True)
class Context:
    """What a run needs besides its spec, and what must not change its result.

    Attributes:
        root: data folder, ``None`` for the default one.
        device: as :func:`nlbench.benchmark.machine.device.resolve` names it.
        threads: CPU threads of this worker.
        environment: versions, commit and hardware, for the record; ``None``: as they are where and
            when the run is trained, which may be another machine than the caller's.
        choice: training backend, as :meth:`BackendConfig.resolve` gives it.
        until: no run is started after this time (seconds since 1970), ``None`` = no limit.
        stop: once there is this file, no run is started, and one that writes checkpoints stops at
            the end of its epoch, without a record; ``None`` = never.
        loaders: threads that decode images of data sets in files; 0 = the one that trains.
        ahead: draw the next run's labels and weights in a second thread while a run is trained.
            Worth having where the device is not the CPU that draws.
        checkpoints: where runs write their state while they train, ``None``: nowhere.
        run_timeout: seconds that a run may take once it is prepared, ``None`` = no limit.
    """

    root: Path | None
    device: str
    threads: int
    environment: Mapping[str, Any] | None = None
    choice: BackendConfig = LOOP
    until: float | None = None
    stop: Path | None = None
    loaders: int = 0
    ahead: bool = False
    checkpoints: Checkpoints | None = None
    run_timeout: float | None = None

    @property
    def here(self) -> Mapping[str, Any]:
        """The environment of a run that is trained in this process."""
        return environment_here(self.device) if self.environment is None else self.environment

    @property
    def late(self) -> bool:
        """Whether no further run is to be started."""
        over = self.until is not None and time.time() > self.until
        return over or (self.stop is not None and self.stop.exists())


def train(spec: RunSpec, context: Context, backend: Backend | None = None) -> RunRecord:
    """Train one run and describe it; a run that raises becomes a record with status ``failed``."""
    (record,) = train_pack([spec], replace(context, until=None, stop=None), backend)
    return record


def train_pack(
    specs: Sequence[RunSpec],
    context: Context,
    backend: Backend | None = None,
    hung: Callable[[RunRecord], None] = lambda _record: None,
) -> Iterator[RunRecord]:
    """Train runs of one pack key and yield the record of each as soon as it ends.

    Args:
        specs: the runs.
        context: what they need besides.
        backend: how; by default the context's choice.
        hung: takes, in another thread, the record of a run that goes on after its time limit and
            cannot be interrupted: only the end of this process ends it.

    Raises:
        BackendError: the backend does not work here; runs already yielded are done.
    """
    backend = backend or create(context.choice)
    runs = [_Run(spec, context, backend, hung) for spec in specs]
    tf32 = all(spec.recipe.precision == "tf32" for spec in specs)  # of one pack key: all or none
    with (
        repeatable(context.threads, context.choice.strict, tf32),
        ThreadPoolExecutor(1) as thread,
    ):
        jobs = _jobs(runs, context, thread if context.ahead else None)
        try:
            for position, ended in backend.train_pack(jobs):
                yield runs[position].record(ended)
        finally:
            for run in runs:
                run.end_limit()


def _jobs(runs: Sequence[_Run], context: Context, thread: Executor | None) -> Iterator[Job]:
    """The runs to be prepared when their turn comes, the next one's draws made meanwhile."""
    for run, following in zip(runs, (*runs[1:], None), strict=True):
        if context.late:
            return
        yield partial(run.prepare, following, thread)


class _Run:
    """One run of a pack: prepared when its turn comes, described when it ends."""

    def __init__(
        self, spec: RunSpec, context: Context, backend: Backend, hung: Callable[[RunRecord], None]
    ) -> None:
        self.spec = spec
        self.context = context
        self.backend = backend
        self.hung = hung
        self.limit: Limit | None = None
        self.task: Task | None = None
        self.source = ""
        self.parts: dict[str, str] = {}
        # Read as soon as it is imported, not after the pack's earlier runs: its files may be edited
        # until then. An error is raised again when the run's turn comes, and is its record.
        with contextlib.suppress(ValueError):
            self.source = method_source(spec.method.name)
            self.parts = part_sources(spec)
        self.pairing: dict[str, str] = {}
        self.drawn: Future[Drawn] | None = None
        self.begun = False
        self.counted = False
        self.started = datetime.now(UTC)
        self.clock = time.perf_counter()

    def prepare(self, following: _Run | None, thread: Executor | None) -> Task:
        """The task, made anew on every call; then ``thread`` draws what the following run needs."""
        self.started, self.clock = datetime.now(UTC), time.perf_counter()
        self.counted = forget_peak(self.context.device)
        self.source = method_source(self.spec.method.name)
        self.parts = part_sources(self.spec)
        drawn, self.drawn, self.begun = self.drawn, None, True
        self.task, self.pairing = prepare(
            self.spec, self.context, None if drawn is None else drawn.result()
        )
        if self.context.checkpoints is not None:
            run_id, stop = self.spec.run_id, self.context.stop
            checkpoint = self.context.checkpoints.of(run_id, self._identity(), stop)
            self.task = replace(self.task, checkpoint=checkpoint)
        if following is not None and thread is not None:
            following.draw_ahead(thread)
        self._limit()
        if self.limit is not None:
            self.task = replace(self.task, check_time=self.limit.check)
        return self.task

    def _limit(self) -> None:
        """Begin to count the time of this run; its worker may have had to load the data first."""
        if self.limit is not None:  # it starts over
            self.limit.end()
        if (seconds := self.context.run_timeout) is not None:
            # Elsewhere an interruption would meet whichever run is having its turn.
            alone = self.backend.name == LoopBackend.name
            self.limit = Limit(seconds, lambda error: self.hung(self._failed(error)), alone)

    def _identity(self) -> dict[str, Any]:
        """What decides the last digits of a run, beside its spec."""
        context = self.context
        where = {k: context.here.get(k) for k in ("nlbench", "commit", "torch", "device")}
        return {
            **where,
            "method_source": self.source,
            **({"part_sources": self.parts} if self.parts else {}),
            "threads": context.threads,
            "backend": context.choice.name,
            "compiled": context.choice.compiled,
            "deterministic": context.choice.strict,
        }

    def draw_ahead(self, thread: Executor) -> None:
        """Let ``thread`` draw, unless the run has begun or its noise needs a network trained."""
        if not self.begun and "softmax" not in noise.needs(self.spec.noise):
            self.begun = True
            self.drawn = thread.submit(draw, self.spec, self.context)

    def record(self, ended: Outcome | Exception) -> RunRecord:
        """The record of how it ended; what it needed is let go."""
        try:
            if isinstance(ended, Exception):
                raise ended
            record = self._finished(ended)
            self.end_limit()
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a record; the others go on
            record = _failed(self.spec, failure(error))
        self.end_limit()
        record = self._with_facts(record, ended)
        # What no reader would take is not written as if it were a result.
        if record.status != "failed" and (found := unwritable(record)):
            reason = ValueError(f"its record does not hold together: {found}")
            record = self._with_facts(_failed(self.spec, reason), ended)
        self.task = None
        return record

    def end_limit(self) -> None:
        """Count no further: it has ended, or nobody goes on with it."""
        if self.limit is not None:
            self.limit.end()

    def _failed(self, error: Exception) -> RunRecord:
        return self._with_facts(_failed(self.spec, error), error)

    def _with_facts(self, record: RunRecord, ended: Outcome | Exception) -> RunRecord:
        """The record with what there is to know besides the result."""
        checkpoint = None if self.task is None else self.task.checkpoint
        spent = 0.0 if checkpoint is None else checkpoint.spent
        choice, backend = self.context.choice, self.backend
        return replace(
            record,
            method_source=self.source,
            part_sources=self.parts,
            environment={
                **self.context.here,
                "threads": self.context.threads,
                "backend": backend.name,
                "slots": backend.slots,
                **backend.facts,
                "compiled": choice.compiled,
                "deterministic": choice.strict,
            },
            timing={
                "started": self.started.isoformat(timespec="seconds"),
                "seconds": round(time.perf_counter() - self.clock + spent, 3),
                **({"resumed": checkpoint.resumed} if checkpoint and checkpoint.resumed else {}),
                **_pace(ended),
                **_cost(ended, peak(self.context.device) if self.counted else None),
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
            evaluations=self._evaluations(task, outcome) if outcome.diverged is None else {},
        )

    def _evaluations(self, task: Task, outcome: Outcome) -> dict[str, Any]:
        """What was asked of the network at the end, and its accuracy on further test sets."""
        others = {"test_sets": outcome.others} if outcome.others else {}
        asked = sorted(task.method.asks())
        told = {"told": asked} if asked else {}
        return {**evaluate(task, self.spec.seed, self.spec.metrics), **others, **told}


@dataclass(frozen=True)
class Drawn:
    """What takes the host long to draw for a run: its labels, and its first weights on the CPU."""

    labels: NoisyLabels
    networks: Sequence[Classifier]


def draw(spec: RunSpec, context: Context) -> Drawn:
    """Labels and first weights; nothing here touches a device, but for noise of a network."""
    dataset = described(spec.dataset, context.root)
    device = resolve(context.device)
    labels = draw_labels(spec.noise, spec.dataset, spec.seed, context.root, device)
    method = baselines.create(spec.method.name, spec.method.values)
    return Drawn(labels, networks(spec, method, dataset, context.root))


def prepare(
    spec: RunSpec, context: Context, drawn: Drawn | None = None
) -> tuple[Task, dict[str, str]]:
    """Everything random of a run, decided and fingerprinted, before the first step.

    Args:
        spec: the run.
        context: what it needs besides.
        drawn: its labels and weights, where they were drawn ahead; used up.
    """
    device = resolve(context.device)
    check_precision(spec.recipe.precision, device)
    data = supply(spec.dataset, context.root, device, context.loaders)
    dataset = data.dataset
    check_fits(spec.recipe.augment, not isinstance(data, Resident), dataset.name)
    method = baselines.create(spec.method.name, spec.method.values)
    in_files = not isinstance(data, Resident)
    check_method(method, dataset.name, in_files, spec.noise, spec.dataset.holdout)
    drawn = drawn or draw(spec, context)
    labels, (network, *others) = drawn.labels, drawn.networks
    if isinstance(data, Resident):
        check_pixels(method, dataset.name, str(data.dataset.x_train.dtype))
        data = with_foreign_images(data, labels, context.root)
    split = draw_split(spec, len(dataset.y_train))
    check_batches(spec, len(split.train))
    pairing = {
        "data": dataset.fingerprint,
        "labels": labels.fingerprint,
        "split": split.fingerprint,
        "init": models.init_fingerprint(network, dataset.num_classes),
    }
    master = torch.float64 if spec.recipe.precision == "float64" else torch.float32
    task = Task(
        network=memory_format(network.to(device, master)),
        others=tuple(memory_format(other.to(device, master)) for other in others),
        seed=spec.seed,
        method=method,
        data=data,
        labels=labels,
        split=split,
        plan=BatchPlan(
            spec,
            split.train,
            dataset.in_shape[1:],
            method.views,
            method.mixing(),
            method.strong_views,
        ),
        recipe=spec.recipe,
        device=device,
    )
    return task, pairing


def networks(
    spec: RunSpec, method: Method, dataset: AnyDataset, root: Path | None
) -> list[Classifier]:
    """The network of each member, with its first weights, on the CPU.

    The first member's are those that every method starts from, a further one's come from a stream
    of its own.
    """
    streams, classes = Streams(spec.seed), dataset.num_classes
    made: list[Classifier] = []
    for member in range(method.members):
        words = ("member", member) if member else ()
        network = models.build(spec.model, dataset.in_shape, method.num_outputs(classes))
        models.initialise(network, partial(streams.generator, "init", *words), classes)
        models.load_weights(network, spec.model, root)
        made.append(network)
    return made


def select(curves: Mapping[str, Sequence[float | None]]) -> dict[str, float | int | None]:
    """The four accuracies from one run's curves; the earliest of equal epochs is chosen.

    Only epochs that were evaluated can be chosen; the last one always was.

    ``last``: the last epoch. ``noisy_val`` / ``clean_val``: the epoch best on the held-out images
    by their noisy / clean labels. ``oracle``: the best test epoch, unknown in practice.
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


def _cost(ended: Outcome | Exception, most: int | None) -> dict[str, Any]:
    """Images that went through networks, and the most memory held during the run, in MiB."""
    if isinstance(ended, Exception):
        return {}
    memory = {} if most is None else {"peak_memory": round(most / 2**20)}
    return {"cost": asdict(ended.cost), **memory}


def _pace(ended: Outcome | Exception) -> dict[str, Any]:
    first = ended.first_epoch if isinstance(ended, Outcome) else None
    if first is None:
        return {}
    return {"first_epoch": {"steps": first.steps, "seconds": round(first.seconds, 4)}}


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
