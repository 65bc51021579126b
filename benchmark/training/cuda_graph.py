"""The CUDA graph backend: a whole step recorded once, several runs side by side on one GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import torch

from nlbench.benchmark.pipeline.batches import Epoch, Indices
from nlbench.benchmark.training.ahead import one_ahead
from nlbench.benchmark.training.cuda_graph_slot import (
    EpochResult,
    GraphRunner,
    key,
    seconds_between,
)
from nlbench.benchmark.training.epoch_stats import evaluation, ranked
from nlbench.benchmark.training.interleave import Pack, Steps, out_of_memory, release
from nlbench.benchmark.training.limits import check_backend
from nlbench.benchmark.training.slot_probe import MOST, Probe, probe, speed_key
from nlbench.benchmark.training.task import Ended, FirstEpoch, Job, Outcome, Task

# Runs at once that packs are made for before anything has been measured.
SLOTS = 4
# A run that starts may take so much of the memory that is free.
SHARE = 0.8


class GraphBackend:
    """Replays recorded steps; nothing is waited for within an epoch, nor at the end of one.

    The order and augmentation of each run's next epoch are drawn by a second thread, so that the
    one that feeds the slots never draws. The results of an epoch are copied to the host while the
    next one is already being queued, so a diverged run is noticed one epoch late; what is
    recorded of it is the same.

    Args:
        slots: runs side by side; each has its own stream, memory pool, momentum and clipping.
            ``None``: as many as a short probe finds fastest within the memory there is, measured
            once for each kind of network and recipe (:mod:`nlbench.benchmark.training.slot_probe`).
        capture: record steps as CUDA graphs. Without, the same static steps are launched one by
            one on any device: what the tests compare with ``loop``.
        compiled: see :class:`nlbench.benchmark.training.cuda_graph_slot.GraphRunner`.
        clock: seconds, for the probe.
    """

    name = "graph"

    def __init__(
        self,
        slots: int | None = None,
        capture: bool = True,
        compiled: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.slots = slots or SLOTS
        self._asked = slots
        self._capture = capture
        self._compiled = compiled
        self._clock = clock
        self._idle: list[GraphRunner] = []
        self._need = 0
        self._device: torch.device | None = None
        self._kind: tuple[object, ...] | None = None
        self._probes: dict[tuple[object, ...], Probe] = {}
        self._limits: dict[tuple[object, ...], int] = {}

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the probe measured, for the record: slots -> steps a second of all together."""
        found = None if self._kind is None else self._probes.get(self._kind)
        if found is None:
            return {}
        return {"probe": {str(count): round(rate, 1) for count, rate in found.rates.items()}}

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """See :class:`nlbench.benchmark.training.task.Backend`."""
        most = self._asked or MOST
        with ThreadPoolExecutor(1) as thread:
            pack = Pack(partial(self._run, thread), most, self._fits)
            try:
                yield from pack.run(jobs)
            finally:
                if pack.limit < most and self._kind is not None:  # memory ran out: not again
                    self.slots = self._limits[self._kind] = min(self.slots, pack.limit)

    def _run(self, thread: Executor, task: Task) -> Steps:
        """One run, yielding after each step queued on the device."""
        check_backend(self.name, task.method, task.recipe)
        self._settle(task)
        slot = self._take(task)
        slot.load(task)
        outcome, epochs = Outcome(), task.plan.epochs()
        for _ in range(_resume(task, slot, outcome)):
            next(epochs)  # drawn again, for the fingerprints
        last: tuple[Indices, EpochResult] | None = None
        marks = []
        with closing(one_ahead(epochs, thread)) as ahead:
            for epoch in ahead:
                slot.begin(epoch)
                marks += [slot.mark()] if epoch.number == 0 else []
                for number in range(slot.steps):
                    slot.step(number)
                    yield
                marks += [slot.mark()] if epoch.number == 0 else []
                result = slot.finish(task.recipe.evaluates(epoch.number + 1))
                if last is not None and not _close(task, outcome, *last):
                    break
                last = (epoch.positions, result)
                if _due(task, epoch):
                    if not _close(task, outcome, *last):
                        break
                    last = None
                    _save(task, slot, outcome, epoch.number + 1)
        if outcome.diverged is None and last is not None:
            _close(task, outcome, *last)
        outcome.state = slot.unload(task)
        outcome.cost = slot.trainer.cost
        if marks:
            outcome.first_epoch = FirstEpoch(slot.steps, seconds_between(*marks))
        self._idle.append(slot)
        return outcome

    def _settle(self, task: Task) -> None:
        """Decide how many runs like this one are trained side by side."""
        self._device = task.device
        kind = speed_key(task)
        if kind == self._kind:
            return
        self._kind = kind
        if kind not in self._limits:
            self._limits[kind] = self._asked or self._probe(task, kind)
        self.slots = self._limits[kind]

    def _probe(self, task: Task, kind: tuple[object, ...]) -> int:
        """Time a few steps of slots that the runs will use afterwards; they leave no trace."""
        self._idle.clear()
        self._need = 0
        epoch = task.plan.epoch(0)

        def build() -> GraphRunner:
            slot = self._build(task)
            slot.load(task)
            slot.begin(epoch)
            return slot

        self._probes[kind], self._idle = probe(build, self._room, self._clock)
        return self._probes[kind].slots

    def _take(self, task: Task) -> GraphRunner:
        """An idle slot that fits the task, else a new one in place of those longest idle."""
        wanted = key(task)
        for slot in self._idle:
            if slot.key == wanted:
                self._idle.remove(slot)
                return slot
        while self._idle and (len(self._idle) >= self.slots or not self._room()):
            del self._idle[0]
        try:
            return self._build(task)
        except Exception as error:
            if not self._idle or not out_of_memory(error):
                raise
            error.__traceback__ = None  # it holds the tensors that are to be freed
        self._idle.clear()
        release()
        return self._build(task)

    def _build(self, task: Task) -> GraphRunner:
        before = self._free()
        slot = GraphRunner(task, self._capture, self._compiled)
        self._need = max(self._need, before - self._free())
        return slot

    def _fits(self, running: int) -> bool:
        """Whether there is memory for another run like those seen so far, and use for it."""
        if running >= self.slots:
            return False
        return running == 0 or bool(self._idle) or self._room()

    def _room(self) -> bool:
        return self._need <= SHARE * self._free()

    def _free(self) -> int:
        """Free bytes of the GPU, exact because recording empties the allocator's cache."""
        return int(torch.cuda.mem_get_info(self._device)[0]) if self._capture else 0


def _due(task: Task, epoch: Epoch) -> bool:
    """Whether a checkpoint is written after this epoch; the last one leaves a record."""
    if task.checkpoint is None or epoch.number + 1 == task.recipe.epochs:
        return False
    return task.checkpoint.due()


def _save(task: Task, slot: GraphRunner, outcome: Outcome, done: int) -> None:
    assert task.checkpoint is not None
    task.checkpoint.save({"done": done, "trainer": slot.saved(), "outcome": outcome.saved()})


def _resume(task: Task, slot: GraphRunner, outcome: Outcome) -> int:
    """How many epochs the run's checkpoint has behind it; the slot and the outcome go on there."""
    content = None if task.checkpoint is None else task.checkpoint.load()
    if content is None:
        return 0
    slot.restore(content["trainer"])
    outcome.restore(content["outcome"])
    return int(content["done"])


def _close(task: Task, outcome: Outcome, positions: Indices, result: EpochResult) -> bool:
    """Read a finished epoch into the outcome; False if it diverged."""
    result.wait()
    epoch = len(outcome.curves["test_accuracy"]) + 1
    curves = result.stats.curves(task.labels, positions, ranked(epoch, task.recipe.epochs))
    if not (result.stats.finite and bool(result.norm.isfinite())):
        outcome.diverged = epoch
        return False
    curves |= evaluation(task.labels, task.split.validation, result.answers)
    outcome.add(curves, result.answers.correct)
    return True
