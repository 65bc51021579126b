"""RunSpec in, RunRecord out: prepare, train, select, and record what happened."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from nlbench import noise
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.machine.peak import forget_peak, peak
from nlbench.benchmark.runs import describe
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.evaluate import evaluate
from nlbench.benchmark.runs.limit import Limit
from nlbench.benchmark.runs.method_source import method_source
from nlbench.benchmark.runs.part_sources import part_sources
from nlbench.benchmark.runs.prepare import Drawn, draw, prepare
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord, pack_bits
from nlbench.benchmark.store.verified import unwritable
from nlbench.benchmark.training import (
    Backend,
    Job,
    LoopBackend,
    Outcome,
    Task,
    create,
)
from nlbench.benchmark.training.task import failure


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
            record = describe.failed(self.spec, failure(error))
        self.end_limit()
        record = self._with_facts(record, ended)
        # What no reader would take is not written as if it were a result.
        if record.status != "failed" and (found := unwritable(record)):
            reason = ValueError(f"its record does not hold together: {found}")
            record = self._with_facts(describe.failed(self.spec, reason), ended)
        self.task = None
        return record

    def end_limit(self) -> None:
        """Count no further: it has ended, or nobody goes on with it."""
        if self.limit is not None:
            self.limit.end()

    def _failed(self, error: Exception) -> RunRecord:
        return self._with_facts(describe.failed(self.spec, error), error)

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
                **describe.pace(ended),
                **describe.cost(ended, peak(self.context.device) if self.counted else None),
            },
        )

    def _finished(self, outcome: Outcome) -> RunRecord:
        task = self.task
        assert task is not None
        return RunRecord(
            spec=self.spec,
            status="ok" if outcome.diverged is None else "diverged",
            data_label=task.data.dataset.label,
            error=describe.divergence(outcome),
            metrics=describe.select(outcome.curves) if outcome.diverged is None else {},
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
