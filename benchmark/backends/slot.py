"""Slot: a network, its optimiser and buffers at fixed addresses, and the step recorded once.

A CUDA graph replays kernels on the addresses it was recorded with. So whatever changes from step to
step (images' positions, augmentation, learning rate) or from run to run (weights, labels) is copied
into place, and what a step gives (losses, predictions) is copied out.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from benchmark import augment
from benchmark.augment import AugmentPlan
from benchmark.backends.loop import Trainer
from benchmark.backends.pack import BackendError, out_of_memory
from benchmark.backends.tally import Tally
from benchmark.backends.task import Task
from benchmark.optim import learning_rate
from benchmark.prepare import Indices
from benchmark.streams import Streams

# Steps before recording: libraries pick algorithms and allocate workspaces in the first ones.
WARM_UP = 3
# A moment of a slot: an event on its stream, or the clock where there is no stream.
Mark = torch.cuda.Event | float


@dataclass(frozen=True)
class Arrived:
    """What an epoch left, on the host once ``event`` has passed; fields as in Tally.

    ``correct`` and ``held`` are ``None`` where the epoch was not evaluated, ``held`` also where no
    images are held out.
    """

    tally: Tally
    correct: Tensor | None
    held: Tensor | None
    norm: Tensor
    event: torch.cuda.Event | None

    def wait(self) -> None:
        """Wait for the copies of this epoch, and for nothing after them."""
        if self.event is not None:
            self.event.synchronize()


class Lane:
    """The buffers of one batch size, and its recorded step."""

    def __init__(self, size: int, plan: AugmentPlan, drains: bool, device: torch.device) -> None:
        self.rows = torch.zeros(size, dtype=torch.int64, device=device)
        self.plan = cloned(plan[:size])
        self.tally = Tally.empty(size, device, drains)
        self.graph: torch.cuda.CUDAGraph | None = None


class Slot:
    """Trains one run at a time, each from the same recorded steps.

    Args:
        task: the first run; later ones must agree with it (:func:`key`). Left as it is.
        capture: record the step as a CUDA graph; without it every step is launched anew, which is
            the same arithmetic on any device.
        compiled: let inductor fuse the network's forward and backward pass (other last bits).
    """

    def __init__(self, task: Task, capture: bool, compiled: bool = False) -> None:
        self.key = key(task)
        self.task = replace(task, network=copy.deepcopy(task.network))
        self.device = task.device
        self.trainer = Trainer(self.task)
        if compiled:
            self.trainer.network = torch.compile(self.task.network, dynamic=False)
        self.samples = len(task.split.train)
        drains = task.method.drains
        size, height_width = task.recipe.batch_size, task.resident.dataset.in_shape[1:]
        template = augment.draw(
            task.recipe.augment, self.samples, height_width, Streams(0).generator("augment", 0)
        )
        self.rows = torch.zeros(self.samples, dtype=torch.int64, device=self.device)
        self.plan = cloned(template.to(self.device))
        self.tally = Tally.empty(self.samples, self.device, drains)
        sizes = [min(size, self.samples - at) for at in range(0, self.samples, size)]
        self.lanes = {s: Lane(s, self.plan, drains, self.device) for s in dict.fromkeys(sizes)}
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
            for buffer in self.momentum:
                buffer.zero_()
            self.trainer.given.copy_(torch.tensor(task.labels.noisy))
            self.trainer.held = torch.tensor(task.split.validation, device=self.device)
        self.task = self.trainer.task = replace(task, network=self.task.network)
        self.wait()

    def begin(self, epoch: int, positions: Indices, plan: AugmentPlan) -> None:
        """Send an epoch's order, augmentation and learning rate; epochs count from 0."""
        self.task.network.train()
        with self._here():
            self.lr.fill_(learning_rate(self.task.recipe, epoch))
            self._send(torch.from_numpy(positions), self.rows)
            for mine, theirs in zip(tensors(self.plan), tensors(plan), strict=True):
                self._send(theirs, mine)

    def step(self, number: int) -> None:
        """Hand one step of the epoch to the device; does not wait."""
        lane, inputs, outputs = self._moves[number]
        with self._here():
            for target, source in inputs:
                target.copy_(source)
            if lane.graph is None:
                self._step(lane)
            else:
                lane.graph.replay()
            for target, source in outputs:
                target.copy_(source)

    def finish(self, evaluate: bool = True) -> Arrived:
        """Evaluate if asked to, and send what the epoch left to the host; does not wait."""
        trainer = self.trainer
        with self._here():
            correct = trainer.correct_on_test() if evaluate else None
            held = trainer.held_out() if evaluate else None
            mass = self.tally.absorbed
            return Arrived(
                tally=Tally(
                    _fetch(self.tally.losses),
                    _fetch(self.tally.predicted),
                    None if mass is None else _fetch(mass),
                ),
                correct=None if correct is None else _fetch(correct),
                held=None if held is None else _fetch(held),
                norm=_fetch(trainer.weights_norm()),
                event=None if self.stream is None else self.stream.record_event(),
            )

    def wait(self) -> None:
        """Wait until everything handed to the device is done."""
        if self.stream is not None:
            self.stream.synchronize()

    def unload(self, task: Task) -> None:
        """Give the last weights to the task's own network."""
        with self._here(), torch.no_grad():
            _copy_state(self.task, task)
        self.wait()

    def mark(self) -> Mark:
        """The moment when all that was handed to the device so far is done; does not wait."""
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
        for size in sizes:
            lane, at = self.lanes[size], slice(start, start + size)
            inputs = [(lane.rows, self.rows[at])]
            inputs += zip(tensors(lane.plan), tensors(self.plan[at]), strict=True)
            outputs = [
                (self.tally.losses[at], lane.tally.losses),
                (self.tally.predicted[at], lane.tally.predicted),
            ]
            if self.tally.absorbed is not None and lane.tally.absorbed is not None:
                outputs.append((self.tally.absorbed[at], lane.tally.absorbed))
            moves.append((lane, inputs, outputs))
            start += size
        self._moves = moves

    def _own_optimiser(self) -> None:
        """The learning rate in a tensor, momentum from zeros: what a replay can go on from.

        SGD's first step sets the momentum to the gradient; from zeros every step is like that.
        The fused CUDA kernel reads the rate as float32, the CPU one as a Python float.
        """
        exact = torch.float64 if self.device.type == "cpu" else torch.float32
        self.lr = torch.zeros((), dtype=exact, device=self.device)
        sgd = self.trainer.sgd
        self.momentum: list[Tensor] = []
        for group in sgd.param_groups:
            group["lr"] = self.lr
            for parameter in group["params"] if group["momentum"] else ():
                buffer = torch.zeros_like(parameter, memory_format=torch.preserve_format)
                sgd.state[parameter]["momentum_buffer"] = buffer
                self.momentum.append(buffer)

    def _step(self, lane: Lane) -> None:
        logits, losses = self.trainer.step(lane.rows, lane.plan)
        lane.tally.note(slice(None), self.task.method, logits, losses)

    def _record_all(self) -> None:
        """Record the step of every lane on this slot's own stream and memory pool.

        The lanes share the pool: what outlives a replay (weights, momentum, statistics, buffers)
        is outside it, and they are replayed one after the other on one stream.
        """
        assert self.stream is not None
        pool = torch.cuda.graph_pool_handle()
        for lane in self.lanes.values():
            self.stream.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(self.stream):
                for _ in range(WARM_UP):
                    self._step(lane)
            self.stream.synchronize()
            self.trainer.sgd.zero_grad(set_to_none=True)
            gc.collect()  # nothing may be freed on the device in the midst of recording
            lane.graph = torch.cuda.CUDAGraph()
            try:
                with torch.cuda.graph(lane.graph, pool=pool, stream=self.stream):
                    self._step(lane)
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


def tensors(plan: AugmentPlan) -> list[Tensor]:
    """The tensors of a plan, in one order."""
    parts = (plan.offsets, plan.flip, plan.angle, plan.affine)
    return [part for part in parts if part is not None]


def cloned(plan: AugmentPlan) -> AugmentPlan:
    """The plan in memory of its own."""
    return AugmentPlan(
        kind=plan.kind,
        rows=plan.rows,
        offsets=None if plan.offsets is None else plan.offsets.clone(),
        flip=None if plan.flip is None else plan.flip.clone(),
        angle=None if plan.angle is None else plan.angle.clone(),
        affine=None if plan.affine is None else plan.affine.clone(),
    )


def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def _copy_state(source: Task, target: Task) -> None:
    pairs = zip(
        target.network.state_dict().values(), source.network.state_dict().values(), strict=True
    )
    for mine, theirs in pairs:
        mine.copy_(theirs)


def _fetch(values: Tensor) -> Tensor:
    """A copy on the host: complete at once on the CPU, with the stream's next event on a GPU."""
    if values.device.type == "cpu":
        return values.clone()
    host = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return host.copy_(values, non_blocking=True)
