"""The CUDA graph backend: a whole step recorded once, several runs side by side on one card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from benchmark.backends.pack import Pack, Steps
from benchmark.backends.slot import Arrived, Slot, key
from benchmark.backends.tally import accuracy
from benchmark.backends.task import Ended, Job, Outcome, Task
from benchmark.prepare import Indices

# Beyond four, more runs at once are not expected to give more runs an hour (to be measured).
SLOTS = 4
# A run that starts may take so much of the memory that is free.
SHARE = 0.8


class GraphBackend:
    """Replays recorded steps; nothing is waited for within an epoch, nor at the end of one.

    The results of an epoch travel to the host while the next one is already being handed to the
    device, so a diverged run is noticed one epoch late; what is recorded of it is the same.

    Args:
        slots: runs side by side; each has its own stream, memory pool, momentum and clipping.
        capture: record steps as CUDA graphs. Without, the same static steps are launched one by
            one on any device: what the tests compare with ``loop``.
        compiled: see :class:`benchmark.backends.slot.Slot`.
    """

    name = "graph"

    def __init__(self, slots: int = SLOTS, capture: bool = True, compiled: bool = False) -> None:
        self.slots = slots
        self._capture = capture
        self._compiled = compiled
        self._idle: list[Slot] = []
        self._need = 0
        self._device: torch.device | None = None

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """See :class:`benchmark.backends.task.Backend`."""
        return Pack(self.run, self.slots, self._fits).run(jobs)

    def run(self, task: Task) -> Steps:
        """One run, yielding after each step handed to the device."""
        slot = self._take(task)
        slot.load(task)
        outcome = Outcome()
        last: tuple[Indices, Arrived] | None = None
        for epoch, (positions, plan) in enumerate(task.plan.epochs()):
            slot.begin(epoch, positions, plan)
            for number in range(slot.steps):
                slot.step(number)
                yield
            arrived = slot.finish()
            if last is not None and not _close(task, outcome, *last):
                break
            last = (positions, arrived)
        if outcome.diverged is None and last is not None:
            _close(task, outcome, *last)
        slot.unload(task)
        self._idle.append(slot)
        return outcome

    def _take(self, task: Task) -> Slot:
        """An idle slot that fits the task, else a new one in place of those longest idle."""
        self._device = task.device
        wanted = key(task)
        for slot in self._idle:
            if slot.key == wanted:
                self._idle.remove(slot)
                return slot
        while self._idle and (len(self._idle) >= self.slots or not self._room()):
            del self._idle[0]
        before = self._free()
        slot = Slot(task, self._capture, self._compiled)
        self._need = max(self._need, before - self._free())
        return slot

    def _fits(self, running: int) -> bool:
        """Whether there is memory for another run like those seen so far."""
        return running == 0 or bool(self._idle) or self._room()

    def _room(self) -> bool:
        return self._need <= SHARE * self._free()

    def _free(self) -> int:
        """Bytes of the card that nobody holds; recording gives the cache back, so it is honest."""
        return int(torch.cuda.mem_get_info(self._device)[0]) if self._capture else 0


def _close(task: Task, outcome: Outcome, positions: Indices, arrived: Arrived) -> bool:
    """Read a finished epoch into the outcome; False if it diverged."""
    arrived.wait()
    curves = arrived.tally.curves(task.labels, positions)
    if not (arrived.tally.finite and bool(arrived.norm.isfinite())):
        outcome.diverged = len(outcome.curves["test_accuracy"]) + 1
        return False
    curves["test_accuracy"] = accuracy(arrived.correct)
    if arrived.held is not None:
        held = task.split.validation
        for name, labels in (("val_noisy", task.labels.noisy), ("val_clean", task.labels.clean)):
            curves[name] = accuracy(arrived.held == torch.tensor(labels[held]))
    outcome.add(curves, arrived.correct.numpy())
    return True
