"""Epochs whose batches a method draws itself: what it may do with the run's networks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from nlbench.benchmark.models import Classifier
from nlbench.benchmark.pipeline import augment
from nlbench.benchmark.pipeline.batches import Epoch
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training.epoch_stats import EpochStats, Seen
from nlbench.benchmark.training.optimizer import regularise

if TYPE_CHECKING:
    from nlbench.benchmark.training.trainer import Trainer


class Hands:
    """The part of the engine for such a method; see :class:`nlbench.baselines.state.Engine`."""

    def __init__(self, trainer: Trainer, epoch: int) -> None:
        self._trainer = trainer
        self._epoch = epoch
        self._images = trainer.task.resident.x_train

    def images(self, ids: Tensor, *words: str | int, strong: bool = False) -> Tensor:
        """Images of these samples, augmented by what the words draw, and normalised."""
        task = self._trainer.task
        generator = Streams(task.seed).generator("augment", "own", *words)
        size = (int(self._images.shape[2]), int(self._images.shape[3]))
        plan = augment.draw(task.recipe.augment, len(ids), size, generator, strong)
        plan = plan.to(task.device)
        return self._trainer.normalise(augment.apply(self._images, plan, ids))

    def mode(self, member: int, training: bool) -> None:
        """Put a network into training or evaluation mode."""
        self._trainer.members[member].network.train(training)

    def logits(self, member: int, images: Tensor) -> Tensor:
        """A network's outputs in full precision."""
        return self._through(images, self._trainer.members[member].call)

    def features(self, member: int, images: Tensor) -> tuple[Tensor, Tensor]:
        """The input of a network's head, and its outputs, in full precision."""
        network = cast(Classifier, self._trainer.members[member].network)
        joined = self._through(images, partial(_joined, network))
        width = network.head.in_features
        return joined[:, :width], joined[:, width:]

    def sweep(self) -> Tensor:
        """Logits of the whole training set in evaluation mode, (members, N, outputs)."""
        with torch.no_grad():
            return self._trainer.sweep(self._epoch)

    def descend(self, member: int, objective: Tensor) -> None:
        """A step against the gradient of the objective: of a network, and of what it used."""
        trainer, chosen = self._trainer, self._trainer.members[member]
        trainer.forget_gradients()
        objective.backward()  # type: ignore[no-untyped-call]
        regularise(trainer.recipe, chosen.parameters)
        chosen.optimiser.step()
        if trainer.memory.optimiser is not None:
            trainer.memory.optimiser.step()

    @torch.no_grad()
    def follow(self, member: int, source: int, keep: float) -> None:
        """Weights of a network go towards those of another; BatchNorm statistics are its own."""
        members = self._trainer.members
        pairs = zip(members[member].parameters, members[source].parameters, strict=True)
        for weight, goal in pairs:
            weight.mul_(keep).add_(goal, alpha=1.0 - keep)

    def _through(self, images: Tensor, network: Callable[[Tensor], Tensor]) -> Tensor:
        trainer = self._trainer
        trainer.cost.forward += len(images)
        if torch.is_grad_enabled():
            trainer.cost.backward += len(images)
        return trainer.forward(images, network).to(trainer.task.dtype)


def _joined(network: Classifier, images: Tensor) -> Tensor:
    """Features and outputs side by side."""
    features = network.features(images)
    return torch.cat([features, network.head(features)], dim=1)


def own_epoch(trainer: Trainer, epoch: Epoch) -> EpochStats:
    """One epoch with a method's own batches; its curves are those of the sweep before it."""
    task, facts, state = trainer.task, trainer.memory.facts, trainer.memory.state
    sweep = trainer.begin_epoch(epoch.number)
    assert sweep is not None  # every epoch with own batches begins with one
    trainer.set_rates(epoch.number)
    selected = task.method.own_epoch(Hands(trainer, epoch.number), state, facts, epoch.number)
    at = torch.from_numpy(epoch.positions).to(task.device)
    losses = torch.stack([task.method.loss(one[at], facts.given[at]) for one in sweep])
    weights = None if selected is None else selected[at]
    stats = EpochStats.empty(len(at), task.device, task.method)
    seen = Seen(task.method.combine([one[at] for one in sweep]), losses.mean(dim=0), weights)
    stats.note(slice(0, len(at)), task.method, seen)
    trainer.cost.epochs += 1
    task.method.end_epoch(state, facts, epoch.number)
    return stats
