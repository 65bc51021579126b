"""Optimisers of recipes: schedule per epoch, L1 before clipping, clipping per model."""

from __future__ import annotations

import contextlib
import importlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nlbench.benchmark.spec.recipe import OPTIMIZERS, Recipe
from nlbench.benchmark.training import optimizer_outside

Schedule = Callable[[Recipe, int], float]

# Factor on the initial rate for epoch 0, 1, ...; names are checked by Recipe.
_FACTORS: dict[str, Schedule] = {
    "constant": lambda _recipe, _epoch: 1.0,
    # PyTorch's CosineAnnealingLR with T_max = epochs, eta_min = 0, stepped once an epoch.
    "cosine": lambda recipe, epoch: 0.5 * (1 + math.cos(math.pi * epoch / recipe.epochs)),
    "step": lambda recipe, epoch: recipe.gamma ** sum(m <= epoch for m in recipe.milestones),
    "exponential": lambda recipe, epoch: recipe.gamma**epoch,
}


def factor(recipe: Recipe, epoch: int) -> float:
    """What the schedule makes of an initial rate in an epoch, counted from 0."""
    return _FACTORS[recipe.schedule](recipe, epoch)


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The rate of an epoch, counted from 0."""
    return recipe.lr * factor(recipe, epoch)


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Give a group its rate: in place where it is a tensor, which a recorded step reads."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def optimiser(recipe: Recipe, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """The recipe's optimiser; ``fused`` does the whole update in one pass over memory."""
    if recipe.outside_optimizer:
        return optimizer_outside.make(recipe, parameters)
    kind = OPTIMIZERS[recipe.optimizer]
    module, _, name = kind.path.partition(":")
    make: Callable[..., torch.optim.Optimizer] = getattr(importlib.import_module(module), name)
    settings = {field: getattr(recipe, field) for field in kind.reads}
    return make(parameters, lr=recipe.lr, fused=True, **settings)


def static(chosen: torch.optim.Optimizer) -> list[Tensor]:
    """Make an optimiser what a recorded step can go on from: its rates and its state in tensors.

    The fused CUDA kernels read the rate as float32, the CPU ones as a Python float.

    Args:
        chosen: one whose state begins with zeros, as that of SGD and of Adam does.

    Returns:
        The state, all zeros; zeros in it are a new beginning.
    """
    weights = [p for group in chosen.param_groups for p in group["params"]]
    for group in chosen.param_groups:
        device = group["params"][0].device
        exact = torch.float64 if device.type == "cpu" else torch.float32
        group["lr"] = torch.zeros((), dtype=exact, device=device)
    before = [p.detach().clone() for p in weights]
    for parameter in weights:
        parameter.grad = torch.zeros_like(parameter)
    chosen.step()  # at rate 0: it makes the state
    chosen.zero_grad(set_to_none=True)
    with torch.no_grad():
        for parameter, value in zip(weights, before, strict=True):
            parameter.copy_(value)
    values = (value for entry in chosen.state.values() for value in entry.values())
    tensors = [value for value in values if isinstance(value, Tensor)]
    for tensor in tensors:
        tensor.zero_()
    return tensors


def saved(chosen: torch.optim.Optimizer) -> dict[int, Any]:
    """The state of an optimiser, by the place of each parameter."""
    state: dict[int, Any] = chosen.state_dict()["state"]
    return state


def restore(chosen: torch.optim.Optimizer, state: dict[int, Any]) -> None:
    """Take a saved state over: in place where there is one, for recorded steps read it there."""
    if not chosen.state:
        groups = chosen.state_dict()["param_groups"]
        chosen.load_state_dict({"state": state, "param_groups": groups})
        return
    weights = [p for group in chosen.param_groups for p in group["params"]]
    with torch.no_grad():
        for place, values in state.items():
            for name, value in values.items():
                if isinstance(value, Tensor):
                    chosen.state[weights[place]][name].copy_(value)


@contextlib.contextmanager
def recorded(chosen: Sequence[torch.optim.Optimizer]) -> Iterator[None]:
    """While a step is recorded, mark the optimisers that need to know it (Adam's kind).

    A fused step is the same either way; outside of a recording PyTorch would warn.
    """
    groups = [g for one in chosen for g in one.param_groups if "capturable" in g]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False


def regularise(recipe: Recipe, parameters: Sequence[nn.Parameter]) -> None:
    """Add the L1 subgradient, then clip the norm of the whole gradient, as the public code does.

    Nothing here waits for the device.
    """
    if recipe.l1 > 0:
        gradients: list[Tensor] = [p.grad for p in parameters if p.grad is not None]
        weights = [p.detach() for p in parameters if p.grad is not None]
        torch._foreach_add_(gradients, torch._foreach_sign(weights), alpha=recipe.l1)
    if recipe.clip_norm > 0:
        nn.utils.clip_grad_norm_(parameters, recipe.clip_norm, foreach=True)
