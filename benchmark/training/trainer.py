"""Trainer: the moving parts of one run, and the arithmetic of one step. Every backend uses it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor, nn

from nlbench.baselines import Batch, Method, Mixed, Step
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline.augment import apply
from nlbench.benchmark.pipeline.batches import Epoch
from nlbench.benchmark.pipeline.in_memory import Resident
from nlbench.benchmark.pipeline.normalise import Normaliser
from nlbench.benchmark.pipeline.streaming import Part
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.training import sam
from nlbench.benchmark.training.course import Turn
from nlbench.benchmark.training.epoch_stats import Answers, EpochStats, Seen, accuracy
from nlbench.benchmark.training.inputs import Inputs
from nlbench.benchmark.training.memory import Memory
from nlbench.benchmark.training.optimizer import (
    learning_rate,
    optimiser,
    regularise,
    restore,
    saved,
    set_rate,
)
from nlbench.benchmark.training.own_batches import own_epoch
from nlbench.benchmark.training.task import Cost, Task

EVAL_BATCH = 1000


class Member:
    """One network of a run and its optimiser.

    Attributes:
        network: the module.
        call: what a step calls: the module, or a compiled form of it.
        names: of the weights.
        tensors: weights and buffers by name, without gradient.
    """

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self.network = network
        self.call: Callable[[Tensor], Tensor] = network
        self.names, self.parameters = zip(*network.named_parameters(), strict=True)
        self.tensors: dict[str, Tensor] = network.state_dict()
        self.optimiser = optimiser(recipe, self.parameters)

    def copied(self) -> dict[str, Tensor]:
        """A copy of weights and buffers."""
        return {name: tensor.clone() for name, tensor in self.tensors.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take weights and buffers over, in place."""
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(tensors[name])

    @property
    def gradients(self) -> dict[str, Tensor]:
        """Every gradient there is, by the name of the weight."""
        pairs = zip(self.names, self.parameters, strict=True)
        return {name: p.grad for name, p in pairs if p.grad is not None}


class Trainer:
    """One run: its networks, and what its method keeps.

    Attributes:
        members: one for each network.
        memory: the method's state.
        given: (N,) labels to learn from.
        held: ids of the held-out samples.
        recipe: of the stage that is trained.
        cost: of the training so far.
        changes_gradients: whether the method does, between the backward pass and the step.
    """

    def __init__(self, task: Task) -> None:
        if task.method.own_batches and task.recipe.sam_rho > 0:
            raise UserError(
                f"method {task.method.name!r} draws batches of its own, without SAM: set sam_rho of"
                " the recipe to 0"
            )
        self.task = task
        self.recipe = task.recipe
        self.cost = Cost()
        self._before = 0
        self.members = [Member(network, task.recipe) for network in task.networks]
        dataset = task.data.dataset
        self.normalise = Normaliser(dataset.mean, dataset.std, task.device, task.dtype)
        self.memory = Memory(task)
        self.given = self.memory.facts.given.clone()
        self.held = torch.tensor(task.split.validation, device=task.device)
        kind = type(task.method)  # what no method does is not prepared in every step
        self.changes_gradients = kind.after_backward is not Method.after_backward
        self._after_step = kind.after_step is not Method.after_step

    def load(self, task: Task) -> None:
        """Take over another run of the same networks, method and recipe."""
        self.task = task
        self.cost = Cost()
        self.memory.load(task)
        self.given.copy_(self.memory.facts.given)
        self.held = torch.tensor(task.split.validation, device=task.device)

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
        sweep = self.sweep() if looks else None
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

    def load_weights(self, weights: Sequence[Mapping[str, Tensor]]) -> None:
        """Give every member its weights and buffers."""
        for member, tensors in zip(self.members, weights, strict=True):
            member.load(tensors)

    def enter(self, turn: Turn) -> None:
        """Go on with the recipe of a stage, and with optimisers that have seen nothing."""
        self.recipe, self._before = turn.recipe, turn.number - turn.at
        for member in self.members:
            member.optimiser = optimiser(turn.recipe, member.parameters)

    def saved(self) -> dict[str, Any]:
        """Copies of all that training changes: networks, optimisers, the method's state."""
        own = self.memory.optimiser
        return {
            "members": [member.copied() for member in self.members],
            "optimisers": [copy.deepcopy(saved(member.optimiser)) for member in self.members],
            "state": {name: tensor.clone() for name, tensor in self.memory.state.named().items()},
            "cost": asdict(self.cost),
            "own": {} if own is None else copy.deepcopy(saved(own)),
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take over what :meth:`saved` gave, in place."""
        parts = zip(self.members, content["members"], content["optimisers"], strict=True)
        for member, tensors, state in parts:
            member.load(tensors)
            restore(member.optimiser, state)
        self.memory.state.load(content["state"])
        self.cost = Cost(**content["cost"])
        if self.memory.optimiser is not None:
            restore(self.memory.optimiser, content["own"])

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

    def forward(self, images: Tensor, network: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Logits; bf16 by autocast if the recipe's precision is bf16."""
        half = self.task.recipe.precision == "bf16"
        with torch.autocast(self.task.device.type, torch.bfloat16, enabled=half):
            # Not `or`: a module with a length has a truth value, a compiled one raises there.
            return (self.task.network if network is None else network)(images)

    def sweep(self) -> Tensor:
        """Logits of the whole training set, (members, N, outputs): evaluation, no augmentation."""
        self.cost.forward += len(self.members) * self.memory.facts.samples
        return torch.stack(list(self._evaluated(self.task.data.x_train, None, self._plain)))

    def predictions(self, images: Tensor | Part, rows: Tensor | None = None) -> tuple[Tensor, ...]:
        """Closed-set predictions in evaluation mode, without augmentation.

        Returns:
            Those of the method; where there are several members, also those of the first alone.
        """
        return self._evaluated(images, rows, self._predicted)

    def answers(self) -> Answers:
        """Test images that are right, and predictions of the held-out images."""
        data = self.task.data
        correct = [found == data.y_test for found in self.predictions(data.x_test)]
        held = self.predictions(data.x_train, self.held)[0] if len(self.held) else None
        return Answers(correct[0], correct[1] if correct[1:] else None, held, len(self.members))

    def no_answers(self) -> Answers:
        """The answers of an epoch that is not evaluated."""
        return Answers(members=len(self.members))

    def accuracy_elsewhere(self) -> dict[str, float]:
        """Accuracy on the data set's further test sets, if it has any."""
        data = self.task.data
        if isinstance(data, Resident):
            return {}
        return {
            name: accuracy(self.predictions(images)[0] == labels)
            for name, (images, labels) in data.others.items()
        }

    def finite(self) -> bool:
        """Whether every weight and all of the state is finite (waits for the device)."""
        return bool(self.norm().isfinite())

    def norm(self) -> Tensor:
        """A scalar on the device that is finite exactly if every weight and all the state is."""
        weights = [p.detach() for member in self.members for p in member.parameters]
        total = torch.stack(torch._foreach_norm(weights)).sum()
        own = self.memory.norm()
        return total if own is None else total + own

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

    def _plain(self, logits: list[Tensor]) -> tuple[Tensor, ...]:
        return tuple(one.to(self.task.dtype) for one in logits)

    def _predicted(self, logits: list[Tensor]) -> tuple[Tensor, ...]:
        method = self.task.method
        found = method.predict(method.combine(logits))
        return (found,) if len(logits) == 1 else (found, method.predict(logits[0]))

    @torch.no_grad()
    def _evaluated(
        self,
        images: Tensor | Part,
        rows: Tensor | None,
        change: Callable[[list[Tensor]], tuple[Tensor, ...]],
    ) -> tuple[Tensor, ...]:
        """What ``change`` makes of the members' logits, batch by batch."""
        for member in self.members:
            member.network.eval()
        parts = []
        for batch in batches(images, rows):
            ready = self.normalise(batch)
            parts.append(change([self.forward(ready, m.network) for m in self.members]))
        return tuple(torch.cat(column) for column in zip(*parts, strict=True))


def mix(images: Tensor, mixed: Mixed) -> Tensor:
    """Each image with its partner in the batch, in the images' memory format."""
    return mixed.weight * images + (1 - mixed.weight) * images[mixed.partner]


def batches(images: Tensor | Part, rows: Tensor | None) -> Iterator[Tensor]:
    """All images or these rows of them, in order, in batches for evaluation."""
    if isinstance(images, Part):
        yield from images.batches(rows)
        return
    count = len(images) if rows is None else len(rows)
    for start in range(0, count, EVAL_BATCH):
        at = slice(start, start + EVAL_BATCH)
        yield images[at] if rows is None else images[rows[at]]


def memory_format(network: nn.Module) -> nn.Module:
    """Convolution weights channels_last, the layout CPU and GPU kernels are fastest in."""
    return network.to(memory_format=torch.channels_last)
