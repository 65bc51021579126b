"""The eager reference loop: any device, any precision. It is the specification of a training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.augment import AugmentPlan, Normaliser, apply
from benchmark.backends.tally import Tally, accuracy, evaluation, ranked
from benchmark.backends.task import Ended, FirstEpoch, Job, Outcome, Task
from benchmark.optim import learning_rate, optimiser, regularise
from benchmark.resident import Resident
from benchmark.streaming import Part

EVAL_BATCH = 1000


class LoopBackend:
    """One run after the other, one step after the other; one wait for the device per epoch."""

    name = "loop"
    slots = 1
    facts: Mapping[str, Any] = MappingProxyType({})

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """One job after the other; see :class:`benchmark.backends.task.Backend`."""
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
        for epoch, (positions, plan) in enumerate(task.plan.epochs(), 1):
            start = time.perf_counter()
            rows = torch.from_numpy(positions).to(task.device)
            tally = trainer.epoch(epoch - 1, rows, plan.to(task.device))
            if epoch == 1 and tally.finite:  # waits for the device
                steps = -(-len(rows) // task.recipe.batch_size)
                outcome.first_epoch = FirstEpoch(steps, time.perf_counter() - start)
            curves = tally.curves(task.labels, positions, ranked(epoch, task.recipe.epochs))
            if not (tally.finite and trainer.weights_finite()):
                outcome.diverged = epoch
                return outcome
            correct = held = None
            if task.recipe.evaluates(epoch):
                correct, held = trainer.correct_on_test(), trainer.held_out()
            curves |= evaluation(task.labels, task.split.validation, correct, held)
            outcome.add(curves, None if correct is None else correct.cpu().numpy())
        outcome.others = trainer.accuracy_elsewhere()
        return outcome


class Trainer:
    """The moving parts of one run, and the arithmetic of one step: every backend uses it.

    Attributes:
        network: what a step calls: the task's network, or a compiled form of it.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.network: Callable[[Tensor], Tensor] = task.network
        self.parameters = list(task.network.parameters())
        self.sgd = optimiser(task.recipe, self.parameters)
        master = torch.float64 if task.recipe.precision == "float64" else torch.float32
        dataset = task.data.dataset
        self.normalise = Normaliser(dataset.mean, dataset.std, task.device, master)
        self.given = torch.tensor(task.labels.noisy, device=task.device)
        self.held = torch.tensor(task.split.validation, device=task.device)

    def epoch(self, epoch: int, rows: Tensor, plan: AugmentPlan) -> Tally:
        """One pass over the training set in the order of ``rows``."""
        recipe, method = self.task.recipe, self.task.method
        for group in self.sgd.param_groups:
            group["lr"] = learning_rate(recipe, epoch)
        self.task.network.train()
        tally = Tally.empty(len(rows), self.task.device, method.drains)
        for at, images in self.task.data.training_batches(rows, plan, recipe.batch_size):
            logits, losses = self.learn(images, rows[at])
            tally.note(at, method, logits, losses)
        return tally

    def step(self, rows: Tensor, plan: AugmentPlan) -> tuple[Tensor, Tensor]:
        """One step on one batch: the logits before it and the per-sample losses, detached.

        Nothing in here waits for the device, and no shape or Python number depends on the values:
        recorded once, it can be replayed.
        """
        return self.learn(apply(self.task.resident.x_train, plan, rows), rows)

    def learn(self, images: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The step on augmented images of these rows, not yet normalised."""
        logits = self.forward(self.normalise(images), self.network)
        losses = self.task.method.loss(logits, self.given[rows])
        self.sgd.zero_grad(set_to_none=True)
        losses.mean().backward()  # type: ignore[no-untyped-call]
        regularise(self.task.recipe, self.parameters)
        self.sgd.step()
        return logits.detach(), losses.detach()

    def forward(self, images: Tensor, network: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Logits; bf16 by autocast where the recipe says so."""
        half = self.task.recipe.precision == "bf16"
        with torch.autocast(self.task.device.type, torch.bfloat16, enabled=half):
            # Not `or`: a module with a length has a truth value, a compiled one fails to tell it.
            return (self.task.network if network is None else network)(images)

    def predictions(self, images: Tensor | Part, rows: Tensor | None = None) -> Tensor:
        """Closed-set predictions of the network in evaluation mode, without augmentation."""
        self.task.network.eval()
        with torch.inference_mode():
            parts = [
                self.task.method.predict(self.forward(self.normalise(batch)))
                for batch in batches(images, rows)
            ]
        return torch.cat(parts)

    def correct_on_test(self) -> Tensor:
        """Which test images are predicted as their label, (M,) bool."""
        return self.predictions(self.task.data.x_test) == self.task.data.y_test

    def held_out(self) -> Tensor | None:
        """Predictions of the held-out images, if there are any."""
        if len(self.held) == 0:
            return None
        return self.predictions(self.task.data.x_train, self.held)

    def accuracy_elsewhere(self) -> dict[str, float]:
        """Accuracy on the data set's further test sets, if it has any."""
        data = self.task.data
        if isinstance(data, Resident):
            return {}
        return {
            name: accuracy(self.predictions(images) == labels)
            for name, (images, labels) in data.others.items()
        }

    def weights_finite(self) -> bool:
        """Whether every weight is finite (waits for the device)."""
        return bool(self.weights_norm().isfinite())

    def weights_norm(self) -> Tensor:
        """A scalar on the device that is finite exactly if every weight is."""
        norms = torch._foreach_norm([p.detach() for p in self.parameters])
        return torch.stack(norms).sum()


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
