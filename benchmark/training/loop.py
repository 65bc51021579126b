"""The eager reference loop: any device, any precision. It is the specification of a training."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from nlbench.benchmark.training.epoch_stats import evaluation, ranked
from nlbench.benchmark.training.task import Ended, FirstEpoch, Job, Outcome, Task
from nlbench.benchmark.training.trainer import Trainer


class LoopBackend:
    """One run after the other, one step after the other; one wait for the device per epoch."""

    name = "loop"
    slots = 1
    facts: Mapping[str, Any] = MappingProxyType({})

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """One job after the other; see :class:`nlbench.benchmark.training.task.Backend`."""
        for position, job in enumerate(jobs):
            try:
                outcome: Outcome | Exception = self.train(job())
            except Exception as error:  # noqa: BLE001  # it is the caller's to record
                outcome = error
            yield position, outcome

    def train(self, task: Task) -> Outcome:
        """Train ``task`` to its end."""
        trainer = Trainer(task)
        outcome = Outcome()
        for epoch in task.plan.epochs():
            start = time.perf_counter()
            tally, done = trainer.epoch(epoch), epoch.number + 1
            if done == 1 and tally.finite:  # waits for the device
                steps = trainer.memory.facts.steps
                outcome.first_epoch = FirstEpoch(steps, time.perf_counter() - start)
            curves = tally.curves(task.labels, epoch.positions, ranked(done, task.recipe.epochs))
            if not (tally.finite and trainer.finite()):
                outcome.diverged = done
                return outcome
            asked = task.recipe.evaluates(done)
            answers = trainer.answers() if asked else trainer.no_answers()
            curves |= evaluation(task.labels, task.split.validation, answers)
            outcome.add(curves, answers.correct)
        outcome.others = trainer.accuracy_elsewhere()
        return outcome
