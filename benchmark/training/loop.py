"""The eager reference loop: any device, any precision. It is the specification of a training."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from nlbench.benchmark.training.checkpoint import LeftOff
from nlbench.benchmark.training.course import Turn, course
from nlbench.benchmark.training.epoch_stats import evaluation, ranked
from nlbench.benchmark.training.shelf import Shelf
from nlbench.benchmark.training.task import Ended, FirstEpoch, Job, Outcome, Task, failure
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
            except LeftOff:
                continue
            except (Exception, SystemExit) as error:  # noqa: BLE001  # the caller's to record
                outcome = failure(error)
            yield position, outcome

    def train(self, task: Task) -> Outcome:
        """Train ``task`` to its end, from its checkpoint if it has one."""
        return _Training(task).to_the_end()


class _Training:
    """One run on its way."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.trainer = Trainer(task)
        self.outcome = Outcome()
        self.turns = list(course(task.method, task.recipe))
        self.shelf = Shelf(self.turns, self.trainer)
        self.done = 0

    def to_the_end(self) -> Outcome:
        self._resume()
        self.outcome.cost = self.trainer.cost
        self.outcome.state = self.trainer.memory.state.named()
        for turn in self.turns[self.done :]:
            if turn.begins:
                self._change(turn)
            self._epoch(turn)
            if self.outcome.diverged is not None:
                return self.outcome
            self._save(turn)
        self.outcome.others = self.trainer.accuracy_elsewhere()
        return self.outcome

    def _epoch(self, turn: Turn) -> None:
        task, trainer, outcome = self.task, self.trainer, self.outcome
        epoch = replace(task.plan.take(turn.plan), number=turn.number)
        start = time.perf_counter()
        stats, done = trainer.epoch(epoch), turn.at + 1
        if turn.number == 0 and stats.finite:  # waits for the device
            steps = trainer.memory.facts.steps
            outcome.first_epoch = FirstEpoch(steps, time.perf_counter() - start)
        curves = stats.curves(task.labels, epoch.positions, ranked(done, turn.recipe.epochs))
        if not (stats.finite and trainer.finite()):
            outcome.diverged = turn.number + 1
            return
        asked = turn.recipe.evaluates(done)
        answers = trainer.answers() if asked else trainer.no_answers()
        curves |= evaluation(task.labels, task.split.validation, answers)
        outcome.add(curves, answers.correct)
        self.shelf.note(curves.get("val_noisy"), trainer)

    def _change(self, turn: Turn) -> None:
        """Begin a later stage: what the method makes of the one before, then its own weights."""
        trainer, stage = self.trainer, turn.setting
        last = [member.copied() for member in trainer.members]
        sweep = None
        if stage.look:
            trainer.load_weights(self.shelf.weights(stage.look, last))
            sweep = trainer.sweep(turn.number)
        trainer.begin_stage(turn.stage, sweep)
        trainer.load_weights(self.shelf.weights(stage.start, last))
        trainer.redraw(turn)
        trainer.enter(turn)
        self.shelf.forget_best()
        if stage.start == "first":
            self.outcome.begin_again()

    def _save(self, turn: Turn) -> None:
        checkpoint = self.task.checkpoint
        if checkpoint is None or turn is self.turns[-1] or not checkpoint.due():
            return
        checkpoint.save(
            {
                "done": turn.number + 1,
                "trainer": self.trainer.saved(),
                "outcome": self.outcome.saved(),
                "shelf": self.shelf.saved(),
            }
        )

    def _resume(self) -> None:
        checkpoint = self.task.checkpoint
        content = None if checkpoint is None else checkpoint.load()
        if content is None:
            return
        self.done = content["done"]
        for turn in self.turns[: self.done]:
            self.task.plan.take(turn.plan)  # drawn again, for the fingerprints
        if (turn := self.turns[self.done - 1]).stage > 0:
            self.trainer.enter(turn)
        self.trainer.restore(content["trainer"])
        self.outcome.restore(content["outcome"])
        self.shelf.restore(content["shelf"])
