"""GraphRunner: a network, its optimiser and buffers at fixed addresses, its step recorded once.

A CUDA graph replays kernels on the addresses it was recorded with. So whatever changes from step to
step (images' positions, augmentation, learning rate) or from run to run (weights, labels) is copied
into place, and what a step gives (losses, predictions) is copied out.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from nlbench.benchmark.pipeline.batches import Epoch, batch_sizes
from nlbench.benchmark.training.epoch_stats import Answers, EpochStats
from nlbench.benchmark.training.inputs import Inputs
from nlbench.benchmark.training.interleave import BackendError, out_of_memory
from nlbench.benchmark.training.optimizer import recorded, static
from nlbench.benchmark.training.task import Task
from nlbench.benchmark.training.trainer import Trainer

# Steps before recording: libraries pick algorithms and allocate workspaces in the first ones.
WARM_UP = 3
# A moment of a slot: an event on its stream, or the clock where there is no stream.
Mark = torch.cuda.Event | float


@dataclass(frozen=True)
class EpochResult:
    """What an epoch left, on the host once ``event`` has passed."""

    stats: EpochStats
    answers: Answers
    norm: Tensor
    event: torch.cuda.Event | None

    def wait(self) -> None:
        """Wait for the copies of this epoch, and for nothing after them."""
        if self.event is not None:
            self.event.synchronize()


class BatchBuffers:
    """The buffers of one batch size, and its recorded step.

    Args:
        inputs: of a batch of this size, which recording starts from: a mixing partner is a place in
            its batch, so those of a larger batch would reach beyond this one.
        task: what is trained.
    """

    def __init__(self, inputs: Inputs, task: Task) -> None:
        size = len(inputs.rows)
        self.inputs = inputs.mapped(torch.clone)
        self.stats = EpochStats.empty(size, task.device, task.method)
        self.graph: torch.cuda.CUDAGraph | None = None


class GraphRunner:
    """Trains one run at a time, each from the same recorded steps.

    Args:
        task: the first run; later ones must agree with it (:func:`key`). Left as it is.
        capture: record the step as a CUDA graph; without it every step is launched anew, which is
            the same arithmetic on any device.
        compiled: let inductor fuse the network's forward and backward pass (other last bits).
    """

    def __init__(self, task: Task, capture: bool, compiled: bool = False) -> None:
        self.key = key(task)
        networks = copy.deepcopy(task.networks)
        self.task = replace(task, network=networks[0], others=networks[1:])
        self.device = task.device
        self.trainer = Trainer(self.task)
        if compiled:
            for member in self.trainer.members:
                member.call = torch.compile(member.network, dynamic=False)
        template = Inputs.of_epoch(task.plan.epoch(0), task.dtype)
        self.inputs = template.mapped(lambda part: part.to(self.device, copy=True))
        samples = len(task.split.train)
        self.stats = EpochStats.empty(samples, self.device, task.method)
        sizes = batch_sizes(samples, task.recipe.batch_size)
        self.buffers: dict[int, BatchBuffers] = {}
        self._lay_out(sizes)
        self._own_optimiser()
        self.stream = _stream(self.device) if capture else None
        if capture:
            self._record_all()

    def load(self, task: Task) -> None:
        """Take over a run: its weights and labels come in, nothing of the last run stays."""
        if self.stream is not None:
            self.stream.wait_stream(torch.cuda.current_stream(self.device))
        with self._here(), torch.no_grad():
            _copy_state(task, self.task)
            for buffer in self.moments:
                buffer.zero_()
            mine = self.task
            self.task = replace(task, network=mine.network, others=mine.others)
            self.trainer.load(self.task)
        self.wait()

    def begin(self, epoch: Epoch) -> None:
        """Send an epoch's order, augmentation and learning rate."""
        with self._here():
            self.trainer.begin_epoch(epoch.number)
            self.trainer.set_rates(epoch.number)
            self.epoch = epoch.number
            sent = Inputs.of_epoch(epoch, self.task.dtype)
            for mine, theirs in zip(self.inputs.tensors(), sent.tensors(), strict=True):
                self._send(theirs, mine)

    def step(self, number: int) -> None:
        """Hand one step of the epoch to the device; does not wait."""
        batch, inputs, outputs = self._moves[number]
        with self._here():
            for target, source in inputs:
                target.copy_(source)
            if batch.graph is None:
                self._step(batch)
            else:
                batch.graph.replay()
            for target, source in outputs:
                target.copy_(source)

    def finish(self, evaluate: bool = True) -> EpochResult:
        """Evaluate if asked to, and send what the epoch left to the host; does not wait."""
        trainer = self.trainer
        with self._here():
            trainer.end_epoch(self.epoch)
            answers = trainer.answers() if evaluate else trainer.no_answers()
            return EpochResult(
                stats=self.stats.mapped(_fetch),
                answers=answers.mapped(_fetch),
                norm=_fetch(trainer.norm()),
                event=None if self.stream is None else self.stream.record_event(),
            )

    def wait(self) -> None:
        """Wait until everything queued on the device is done."""
        if self.stream is not None:
            self.stream.synchronize()

    def unload(self, task: Task) -> dict[str, Tensor]:
        """Give the last weights to the task's own networks; return a copy of the method's state."""
        with self._here(), torch.no_grad():
            _copy_state(self.task, task)
            state = {n: t.clone() for n, t in self.trainer.memory.state.named().items()}
        self.wait()
        return state

    def saved(self) -> dict[str, Any]:
        """Copies of all that training changes; waits for the device."""
        with self._here():
            content = self.trainer.saved()
        self.wait()
        return content

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on from what :meth:`saved` gave."""
        with self._here():
            self.trainer.restore(content)
        self.wait()

    def mark(self) -> Mark:
        """The event that follows all that was queued on the device so far; does not wait."""
        if self.stream is None:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(self.stream)
        return event

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return len(self._moves)

    def _lay_out(self, sizes: list[int]) -> None:
        """Where each step's inputs come from and its outputs go, as views made once."""
        moves = []
        start = 0
        for number, size in enumerate(sizes):
            at = slice(start, start + size)
            part = self.inputs.of(number, at)
            if size not in self.buffers:
                self.buffers[size] = BatchBuffers(part, self.task)
            batch = self.buffers[size]
            inputs = list(zip(batch.inputs.tensors(), part.tensors(), strict=True))
            outputs = [
                (whole[at], mine)
                for whole, mine in zip(self.stats.parts(), batch.stats.parts(), strict=True)
            ]
            moves.append((batch, inputs, outputs))
            start += size
        self._moves = moves

    def _own_optimiser(self) -> None:
        """The learning rate in a tensor, the state from zeros: what a replay can go on from.

        SGD's first step sets the momentum to the gradient; from zeros every step is like that. Of
        Adam the number of steps is a tensor too.
        """
        optimisers = [member.optimiser for member in self.trainer.members]
        own = self.trainer.memory.optimiser
        self.optimisers = [one for one in (*optimisers, own) if one is not None]
        self.moments = [tensor for one in self.optimisers for tensor in static(one)]

    def _step(self, batch: BatchBuffers) -> None:
        batch.stats.note(slice(None), self.task.method, self.trainer.step(batch.inputs))

    def _record_all(self) -> None:
        """Record the step of every batch size on this slot's own stream and memory pool.

        The steps share the pool: what outlives a replay (weights, moments, statistics, buffers)
        is outside it, and they are replayed one after the other on one stream.
        """
        assert self.stream is not None
        pool = torch.cuda.graph_pool_handle()
        for batch in self.buffers.values():
            self.stream.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(self.stream):
                for _ in range(WARM_UP):
                    self._step(batch)
            self.stream.synchronize()
            self.trainer.forget_gradients()
            gc.collect()  # nothing may be freed on the device in the midst of recording
            batch.graph = torch.cuda.CUDAGraph()
            try:
                graph = torch.cuda.graph(batch.graph, pool=pool, stream=self.stream)
                with graph, recorded(self.optimisers):
                    self._step(batch)
            except RuntimeError as error:
                if out_of_memory(error):
                    raise
                raise BackendError(
                    f"backend graph: a step of method {self.task.method.name!r} cannot be recorded"
                    f" ({str(error).splitlines()[0]}); --backend loop trains it"
                ) from error

    def _here(self) -> AbstractContextManager[object]:
        return contextlib.nullcontext() if self.stream is None else torch.cuda.stream(self.stream)

    def _send(self, source: Tensor, target: Tensor) -> None:
        if self.stream is not None:
            source = source.pin_memory()
        target.copy_(source, non_blocking=True)


def key(task: Task) -> tuple[object, ...]:
    """What two runs must share to be trained from the same recorded steps."""
    return (
        type(task.network),
        repr(task.network),
        task.method,
        task.recipe,
        id(task.data),  # the slot keeps its data, so the number is not given to another
        len(task.split.train),
        len(task.split.validation),
        task.device,
    )


def seconds_between(start: Mark, end: Mark) -> float:
    """Seconds from one moment of a slot to a later one; both have passed."""
    if isinstance(start, float) or isinstance(end, float):
        return float(end) - float(start)  # type: ignore[arg-type]  # a slot has one kind of moment
    return float(start.elapsed_time(end)) / 1000


def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _copy_state(source: Task, target: Task) -> None:
    for ours, theirs in zip(target.networks, source.networks, strict=True):
        pairs = zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True)
        for mine, other in pairs:
            mine.copy_(other)


def _fetch(values: Tensor) -> Tensor:
    """A copy on the host: complete at once on the CPU, with the stream's next event on a GPU."""
    if values.device.type == "cpu":
        return values.clone()
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return host.copy_(values, non_blocking=True)
