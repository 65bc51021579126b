"""SGD as the protocol has it: schedule per epoch, L1 before clipping, clipping per model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from benchmark.recipe import Recipe

Schedule = Callable[[Recipe, int], float]

# Factor on the initial rate for epoch 0, 1, ...; names are checked by Recipe.
_FACTORS: dict[str, Schedule] = {
    "constant": lambda _recipe, _epoch: 1.0,
    # PyTorch's CosineAnnealingLR with T_max = epochs, eta_min = 0, stepped once an epoch.
    "cosine": lambda recipe, epoch: 0.5 * (1 + math.cos(math.pi * epoch / recipe.epochs)),
    "step": lambda recipe, epoch: recipe.gamma ** sum(m <= epoch for m in recipe.milestones),
    "exponential": lambda recipe, epoch: recipe.gamma**epoch,
}


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The rate of an epoch, counted from 0."""
    return recipe.lr * _FACTORS[recipe.schedule](recipe, epoch)


def optimiser(recipe: Recipe, parameters: Sequence[nn.Parameter]) -> torch.optim.SGD:
    """SGD with momentum and L2; ``fused`` does the whole update in one pass over memory."""
    return torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=True,
    )


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
