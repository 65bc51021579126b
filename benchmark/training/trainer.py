"""Trainer: one step, and an epoch's beginning and end. Every backend uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from nlbench.baselines import Batch, Method, Mixed, Step
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline.augment import apply
from nlbench.benchmark.pipeline.batches import Epoch
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training import sam
from nlbench.benchmark.training.course import Turn
from nlbench.benchmark.training.epoch_stats import EpochStats, Seen
from nlbench.benchmark.training.images import mix
from nlbench.benchmark.training.inputs import Inputs
from nlbench.benchmark.training.networks import Member, Networks
from nlbench.benchmark.training.optimizer import learning_rate, optimiser, regularise, set_rate
from nlbench.benchmark.training.own_batches import own_epoch
from nlbench.benchmark.training.task import Task


class Trainer(Networks):
    """The training of the networks of one run.

    Attributes:
        given: (N,) labels to learn from.
        recipe: of the stage that is trained.
        changes_gradients: whether the method does, between the backward pass and the step.
    """

    def __init__(self, task: Task) -> None:
        if task.method.own_batches and task.recipe.sam_rho > 0:
            raise UserError(
                f"method {task.method.name!r} draws batches of its own, without SAM: set sam_rho of"
                " the recipe to 0"
            )
        super().__init__(task)
        self.recipe = task.recipe
        self._before = 0
        self.given = self.memory.facts.given.clone()
        kind = type(task.method)  # what no method does is not prepared in every step
        self.changes_gradients = kind.after_backward is not Method.after_backward
        self._after_step = kind.after_step is not Method.after_step

    def load(self, task: Task) -> None:
        """Take over another run of the same networks, method and recipe."""
        super().load(task)
        self.given.copy_(self.memory.facts.given)

    def epoch(self, epoch: Epoch) -> EpochStats:
        """One pass over the training set in the order of the epoch."""
        task = self.task
        if task.method.draws_batches(self.memory.facts, epoch.number):
            return own_epoch(self, epoch)
        self.begin_epoch(epoch.number)
        self.set_rates(epoch.number)
        inputs = Inputs.of_epoch(epoch, task.dtype).mapped(lambda part: part.to(task.device))
        stats = EpochStats.empty(len(inputs.rows), task.device, task.method)
        batches = task.data.training_batches(inputs.rows, inputs.views[0], task.recipe.batch_size)
        for number, (at, images) in enumerate(batches):
            batch = inputs.of(number, at)
            others = (apply(task.resident.x_train, p, batch.rows) for p in batch.views[1:])
            seen = self.learn((images, *others), batch.rows, batch.mixed)
            stats.note(at, task.method, seen)
        self.end_epoch(epoch.number)
        return stats

    @torch.no_grad()
    def begin_epoch(self, epoch: int) -> Tensor | None:
        """The method's own preparation of an epoch, counted from 0; then the networks train.

        Returns:
            The sweep, if there was one.
        """
        method, facts = self.task.method, self.memory.facts
        looks = method.wants_sweep(facts, epoch) or method.draws_batches(facts, epoch)
        sweep = self.sweep(epoch) if looks else None
        method.begin_epoch(self.memory.state, facts, epoch, sweep)
        for member in self.members:
            member.network.train()
        return sweep

    def set_rates(self, epoch: int) -> None:
        """The learning rates of an epoch, counted from 0."""
        at = epoch - self._before
        for member in self.members:
            for group in member.optimiser.param_groups:
                set_rate(group, learning_rate(self.recipe, at))
        self.memory.set_rates(self.recipe, at)

    @torch.no_grad()
    def begin_stage(self, stage: int, sweep: Tensor | None) -> None:
        """What the method makes of the stage before, at the beginning of a later one."""
        self.task.method.begin_stage(self.memory.state, self.memory.facts, stage, sweep)

    def redraw(self, turn: Turn) -> None:
        """Give the parts of each network that a stage draws anew their first weights."""
        draw = Streams(self.task.seed).generator
        for number, member in enumerate(self.members):
            words = ("stage", turn.stage, *(("member", number) if number else ()))
            draws = partial(draw, "init", *words)
            member.redraw(turn.setting, draws, self.memory.facts.num_classes)

    def enter(self, turn: Turn) -> None:
        """Go on with the recipe of a stage, and with optimisers that have seen nothing."""
        self.recipe, self._before = turn.recipe, turn.number - turn.at
        for member in self.members:
            member.choose(turn.setting)
            member.optimiser = optimiser(turn.recipe, member.trained)

    @torch.no_grad()
    def end_epoch(self, epoch: int) -> None:
        """What the method does after an epoch, counted from 0."""
        passes = len(self.members) * self.task.method.views * (2 if self.recipe.sam_rho > 0 else 1)
        self.cost.add(passes * len(self.memory.facts.trained))
        self.task.method.end_epoch(self.memory.state, self.memory.facts, epoch)

    def step(self, inputs: Inputs) -> Seen:
        """One step on one batch of images in memory; see :meth:`learn`."""
        images, rows = self.task.resident.x_train, inputs.rows
        return self.learn([apply(images, plan, rows) for plan in inputs.views], rows, inputs.mixed)

    def learn(self, views: Sequence[Tensor], rows: Tensor, mixed: Mixed | None = None) -> Seen:
        """One step on augmented images of these rows, not yet normalised.

        Nothing in here waits for the device, and no shape or Python number depends on the values:
        recorded once, it can be replayed.
        """
        method, memory = self.task.method, self.memory
        images = [self.normalise(view) for view in views]
        if mixed is not None:
            images = [mix(view, mixed) for view in images]
        batch = self.batch(self._outputs(images), rows, mixed)
        step = method.step(batch)
        self._backward(step)
        if self.recipe.sam_rho > 0:
            self._backward_nearby(images, batch)
        self._change_gradients()
        for member in self.members:
            regularise(self.recipe, member.parameters)
            member.optimiser.step()
        memory.update(rows, batch.rows, step)
        if self._after_step:
            with torch.no_grad():
                method.after_step([member.tensors for member in self.members], memory.state)
        return self.seen(batch, step)

    def batch(
        self, logits: tuple[tuple[Tensor, ...], ...], rows: Tensor, mixed: Mixed | None
    ) -> Batch:
        """Input of the method's step, given the outputs of each member for each view."""
        memory = self.memory
        return Batch(
            logits=logits,
            targets=self.given[rows],
            rows=memory.gather(rows),
            globals=memory.state.globals,
            parameters=memory.state.parameters,
            mixed=mixed,
        )

    def _outputs(self, images: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], ...]:
        """Each member's logits for each view, in full precision."""
        return tuple(self._outputs_of(member, images) for member in self.members)

    def _outputs_of(self, member: Member, images: Sequence[Tensor]) -> tuple[Tensor, ...]:
        if self.task.method.joined_views:
            joined = self.forward(torch.cat(list(images)), member.call)
            return tuple(part.to(self.task.dtype) for part in joined.chunk(len(images)))
        return tuple(self.forward(view, member.call).to(self.task.dtype) for view in images)

    def forget_gradients(self) -> None:
        """Let the gradients of the last step go."""
        for member in self.members:
            member.optimiser.zero_grad(set_to_none=True)
        if self.memory.optimiser is not None:
            self.memory.optimiser.zero_grad(set_to_none=True)

    def _backward(self, step: Step) -> None:
        """Gradients of the objective."""
        self.forget_gradients()
        step.objective().backward()  # type: ignore[no-untyped-call]

    def _backward_nearby(self, images: Sequence[Tensor], batch: Batch) -> None:
        """SAM: from the gradients there are, go up, and take those there instead.

        The state moves once a step, by the first pass, and so do BatchNorm's statistics.
        """
        recipe = self.recipe
        before = [
            sam.ascend(member.parameters, recipe.sam_rho, recipe.sam_adaptive)
            for member in self.members
        ]
        for name in self.memory.state.rates:
            batch.rows[name].grad = None
        with sam.still_statistics([member.network for member in self.members]):
            there = replace(batch, logits=self._outputs(images))
        self._backward(self.task.method.step(there))
        for member, weights in zip(self.members, before, strict=True):
            sam.back(member.parameters, weights)

    @torch.no_grad()
    def _change_gradients(self) -> None:
        """What the method makes of each member's gradients."""
        if not self.changes_gradients:
            return
        for number, member in enumerate(self.members):
            weights = {name: member.tensors[name] for name in member.names}
            self.task.method.after_backward(number, weights, member.gradients, self.memory.state)

    def seen(self, batch: Batch, step: Step) -> Seen:
        """What a step leaves to be noted."""
        logits = [views[0].detach() for views in batch.logits]
        losses = [values.detach() for values in step.losses]
        return Seen(
            logits=self.task.method.combine(logits),
            losses=losses[0] if len(losses) == 1 else torch.stack(losses).mean(dim=0),
            weights=step.weights[0] if step.weights else None,
        )
