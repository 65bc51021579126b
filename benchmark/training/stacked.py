"""The stack backend: many small networks of one shape trained as one batched program."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from nlbench.benchmark.pipeline.augment import apply
from nlbench.benchmark.pipeline.batches import Epoch
from nlbench.benchmark.training.epoch_stats import Answers, EpochStats, Seen, evaluation, ranked
from nlbench.benchmark.training.images import EVAL_BATCH, mix
from nlbench.benchmark.training.inputs import Inputs
from nlbench.benchmark.training.limits import check_backend
from nlbench.benchmark.training.optimizer import learning_rate, optimiser
from nlbench.benchmark.training.task import Ended, Job, Outcome, Task, failure
from nlbench.benchmark.training.trainer import Trainer

Group = list[tuple[int, Job, Task]]


class StackBackend:
    """Runs that agree in all but method, labels and seed, in lock-step; see :class:`Stack`.

    Where one of a stack raises, or memory runs out, the stack is trained again in two halves: the
    record of a run does not depend on the other runs of its stack.

    Args:
        slots: most runs in one stack.
    """

    name = "stack"
    slots = 16
    facts: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, slots: int = slots) -> None:
        self.slots = slots

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """See :class:`nlbench.benchmark.training.task.Backend`; a stack's runs end together."""
        source = enumerate(jobs)
        while chosen := list(itertools.islice(source, self.slots)):
            groups: dict[tuple[object, ...], Group] = defaultdict(list)
            for position, job in chosen:
                try:
                    task = job()
                    check_backend(self.name, task.method, task.recipe)
                except (Exception, SystemExit) as error:  # noqa: BLE001  # the caller's to record
                    yield position, failure(error)
                else:
                    groups[key(task)].append((position, job, task))
            for group in groups.values():
                yield from _train(group)


class Stack:
    """K networks whose parameters and buffers have one more dimension, the run.

    Every product of a step is batched over the runs; each run has its own loss, gradient norm and
    clipping. Sums are taken in another order than by ``loop``, so float32 results differ in their
    last bits.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tasks
        first = tasks[0]
        self.trainers = [Trainer(task) for task in tasks]
        states = [dict(t.network.named_parameters()) for t in tasks]
        self.parameters = {
            name: nn.Parameter(torch.stack([s[name].detach() for s in states]))
            for name in states[0]
        }
        buffers = [dict(t.network.named_buffers()) for t in tasks]
        self.buffers = {name: torch.stack([b[name] for b in buffers]) for name in buffers[0]}
        self.optimiser = optimiser(first.recipe, list(self.parameters.values()))
        self.network, self.recipe, self.data = first.network, first.recipe, first.resident
        self.device = first.device

    def epoch(self, epochs: Sequence[Epoch]) -> list[EpochStats]:
        """One pass over the training set, each run in its own order."""
        number = epochs[0].number
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.recipe, number)
        for trainer in self.trainers:
            trainer.begin_epoch(number)
            trainer.memory.set_rates(self.recipe, number)
        drawn = [
            Inputs.of_epoch(epoch, task.dtype).mapped(lambda part: part.to(self.device))
            for epoch, task in zip(epochs, self.tasks, strict=True)
        ]
        samples = len(epochs[0].positions)
        collected = [EpochStats.empty(samples, self.device, task.method) for task in self.tasks]
        for step, start in enumerate(range(0, samples, self.recipe.batch_size)):
            at = slice(start, start + self.recipe.batch_size)
            found = self._step([one.of(step, at) for one in drawn])
            for task, stats, seen in zip(self.tasks, collected, found, strict=True):
                stats.note(at, task.method, seen)
        for trainer in self.trainers:
            trainer.end_epoch(number)
        return collected

    def predictions(self, images: Tensor, rows: Tensor | None = None) -> list[Tensor]:
        """Each run's closed-set predictions; ``rows`` (K, m) are its own images, None = all."""
        self.network.eval()
        count = len(images) if rows is None else rows.shape[1]
        parts: list[list[Tensor]] = [[] for _ in self.tasks]
        with torch.inference_mode():
            for start in range(0, count, EVAL_BATCH):
                at = slice(start, start + EVAL_BATCH)
                if rows is None:
                    batch = self._normalise(images[at])
                    logits = self._forward(batch, None)
                else:
                    logits = self._forward(self._by_run(images[rows[:, at].reshape(-1)]), 0)
                for run, task in enumerate(self.tasks):
                    parts[run].append(task.method.predict(logits[run]))
        return [torch.cat(part) for part in parts]

    def finite(self) -> Tensor:
        """Which runs have only finite weights and a finite state, (K,) bool."""
        totals = [p.detach().flatten(1).norm(dim=1) for p in self.parameters.values()]
        weights = torch.stack(totals).sum(dim=0)
        own = [trainer.memory.norm() for trainer in self.trainers]
        return torch.stack(
            [w if n is None else w + n for w, n in zip(weights, own, strict=True)]
        ).isfinite()

    def unstack(self) -> None:
        """Give each task's own network its last weights and statistics."""
        with torch.no_grad():
            for run, task in enumerate(self.tasks):
                for name, parameter in task.network.named_parameters():
                    parameter.copy_(self.parameters[name][run])
                for name, buffer in task.network.named_buffers():
                    buffer.copy_(self.buffers[name][run])

    def _step(self, inputs: Sequence[Inputs]) -> list[Seen]:
        """One step of every run, each with its own loss, state and changes of gradients."""
        images = self._by_run(
            torch.cat([apply(self.data.x_train, one.views[0], one.rows) for one in inputs])
        )
        mixes = [one.mixed for one in inputs]
        if any(mixed is not None for mixed in mixes):
            pairs = zip(images, mixes, strict=True)
            images = torch.stack([one if how is None else mix(one, how) for one, how in pairs])
        logits = self._forward(images, 0).to(self.tasks[0].dtype)
        runs = list(zip(self.trainers, inputs, logits, strict=True))
        batches = [trainer.batch(((mine,),), one.rows, one.mixed) for trainer, one, mine in runs]
        steps = [t.task.method.step(batch) for t, batch in zip(self.trainers, batches, strict=True)]
        self.optimiser.zero_grad(set_to_none=True)
        for trainer in self.trainers:
            trainer.forget_gradients()
        # The runs share nothing, so the gradient of the sum is each run's own gradient.
        torch.stack([step.objective() for step in steps]).sum().backward()  # type: ignore[no-untyped-call]
        self._change_gradients()
        self._regularise()
        self.optimiser.step()
        found = []
        for (trainer, one, _), batch, step in zip(runs, batches, steps, strict=True):
            trainer.memory.update(one.rows, batch.rows, step)
            found.append(trainer.seen(batch, step))
        return found

    @torch.no_grad()
    def _change_gradients(self) -> None:
        """What each run's method makes of its part of the gradients."""
        for run, trainer in enumerate(self.trainers):
            if not trainer.changes_gradients:
                continue
            weights = {name: p.detach()[run] for name, p in self.parameters.items()}
            slopes = {n: p.grad[run] for n, p in self.parameters.items() if p.grad is not None}
            trainer.task.method.after_backward(0, weights, slopes, trainer.memory.state)

    def _regularise(self) -> None:
        """L1, then each run's own clipping; see :func:`regularise`."""
        weights = [p.detach() for p in self.parameters.values()]
        gradients = [p.grad for p in self.parameters.values() if p.grad is not None]
        if self.recipe.l1 > 0:
            torch._foreach_add_(gradients, torch._foreach_sign(weights), alpha=self.recipe.l1)
        if self.recipe.clip_norm > 0:
            parts = torch.stack([g.flatten(1).norm(dim=1) for g in gradients])
            factor = (self.recipe.clip_norm / (parts.norm(dim=0) + 1e-6)).clamp(max=1.0)
            for gradient in gradients:
                gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))

    def _forward(self, images: Tensor, dimension: int | None) -> Tensor:
        """Logits (K, B, outputs) of images (K, B, C, H, W), or (B, C, H, W) shared by all runs."""

        def one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], batch: Tensor) -> Tensor:
            logits: Tensor = functional_call(self.network, (parameters, buffers), (batch,))
            return logits

        half = self.recipe.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            batched = vmap(one, in_dims=(0, 0, dimension))
            result: Tensor = batched(dict(self.parameters), self.buffers, images)
        return result

    def _by_run(self, images: Tensor) -> Tensor:
        return self._normalise(images).unflatten(0, (len(self.tasks), -1))  # type: ignore[no-any-return, no-untyped-call]

    def _normalise(self, images: Tensor) -> Tensor:
        return self.trainers[0].normalise(images)


def key(task: Task) -> tuple[object, ...]:
    """What runs must share to be stacked: shapes, data, recipe; not the method."""
    return (
        repr(task.network),
        task.recipe,
        id(task.data),
        len(task.split.train),
        len(task.split.validation),
        task.device,
    )


def _train(group: Group) -> Iterator[Ended]:
    try:
        outcomes = _outcomes([task for _, _, task in group])
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it is the caller's to record
        if len(group) == 1:
            yield group[0][0], failure(error)
            return
        outcomes = None
    if outcomes is not None:
        yield from zip((position for position, _, _ in group), outcomes, strict=True)
        return
    middle = len(group) // 2
    for half in (group[:middle], group[middle:]):
        yield from _train([(position, job, job()) for position, job, _ in half])


def _outcomes(tasks: Sequence[Task]) -> list[Outcome]:
    stack = Stack(tasks)
    outcomes = [Outcome() for _ in tasks]
    epochs = zip(*(task.plan.epochs() for task in tasks), strict=True)
    for epoch, drawn in enumerate(epochs):
        collected = stack.epoch(drawn)
        answers = _answers(stack, stack.recipe.evaluates(epoch + 1))
        ranks = ranked(epoch + 1, stack.recipe.epochs)
        finite = stack.finite().tolist()
        for run, outcome in enumerate(outcomes):
            if outcome.diverged is not None:
                continue
            curves = collected[run].curves(tasks[run].labels, drawn[run].positions, ranks)
            if not (collected[run].finite and finite[run]):
                outcome.diverged = epoch + 1
                continue
            task, found = tasks[run], answers[run]
            curves |= evaluation(task.labels, task.split.validation, found)
            outcome.add(curves, found.correct)
        if all(outcome.diverged is not None for outcome in outcomes):
            break
    stack.unstack()
    for outcome, trainer in zip(outcomes, stack.trainers, strict=True):
        outcome.cost, outcome.state = trainer.cost, trainer.memory.state.named()
    return outcomes


def _answers(stack: Stack, asked: bool) -> list[Answers]:
    """Of each run, which test images are right, and its predictions of its held-out images."""
    if not asked:
        return [Answers() for _ in stack.tasks]
    correct = [found == stack.data.y_test for found in stack.predictions(stack.data.x_test)]
    rows = torch.stack([trainer.held for trainer in stack.trainers])
    if rows.shape[1] == 0:
        return [Answers(right) for right in correct]
    held = stack.predictions(stack.data.x_train, rows)
    return [Answers(right, held=said) for right, said in zip(correct, held, strict=True)]
