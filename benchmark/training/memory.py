"""Memory: the state of a method during a run, gathered before a step and put back after it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nlbench.baselines import Facts, MethodError, State, Step
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.training.facts import facts
from nlbench.benchmark.training.optimizer import factor, set_rate
from nlbench.benchmark.training.task import Task


class Memory:
    """What a method keeps, where it stays, and how it changes.

    Attributes:
        facts: what the method was given.
        state: its tensors, at fixed addresses.
        optimiser: of the state's parameters, if there are any.
    """

    def __init__(self, task: Task) -> None:
        self.facts, self.state = _begun(task)
        self.optimiser = task.method.optimiser(self.state)
        groups = [] if self.optimiser is None else self.optimiser.param_groups
        self._rates = [float(group["lr"]) for group in groups]

    def load(self, task: Task) -> None:
        """Begin another run with the same method in the same tensors."""
        self.facts, fresh = _begun(task)
        self.state.load(fresh.named())

    def set_rates(self, recipe: Recipe, epoch: int) -> None:
        """The rates of the method's own optimiser, after a recipe's schedule."""
        if self.optimiser is None:
            return
        share = factor(recipe, epoch)
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            value = rate * share if group.get("scheduled", True) else rate
            set_rate(group, value)

    def gather(self, ids: Tensor) -> dict[str, Tensor]:
        """The rows of a batch; those that are trained carry a gradient."""
        slices = {name: rows[ids] for name, rows in self.state.rows.items()}
        for name in self.state.rates:
            slices[name].requires_grad_()
        return slices

    @torch.no_grad()
    def update(self, ids: Tensor, slices: Mapping[str, Tensor], step: Step) -> None:
        """Train what is trained, and put new rows and globals in their places."""
        if self.optimiser is not None:
            self.optimiser.step()
        for name, rate in self.state.rates.items():
            if (gradient := slices[name].grad) is not None:
                self._put(name, ids, torch.add(slices[name], gradient, alpha=-rate))
        for name, rows in step.rows.items():
            self._put(name, ids, rows)
        for name, value in step.globals.items():
            self.state.globals[name].copy_(value)

    def norm(self) -> Tensor | None:
        """A scalar that is finite exactly if all of the state is; ``None`` without a state."""
        tensors = list(self.state.floating())
        return torch.stack(torch._foreach_norm(tensors)).sum() if tensors else None

    def _put(self, name: str, ids: Tensor, values: Tensor) -> None:
        self.state.rows[name].index_copy_(0, ids, values.detach())


@torch.no_grad()
def _begun(task: Task) -> tuple[Facts, State]:
    known = facts(task)
    state = task.method.begin(known)
    for name, rows in state.rows.items():
        if len(rows) != known.samples:
            raise MethodError(
                f"method {task.method.name!r}: rows {name!r} of shape {tuple(rows.shape)} must have"
                f" one row for each of the {known.samples} samples"
            )
    for name, tensor in state.named().items():
        if tensor.device != task.device:
            raise MethodError(
                f"method {task.method.name!r}: {name} is on {tensor.device}, not on {task.device}"
            )
    return known, state
