"""The contract of an optimiser: it follows the rate of the schedule, and goes on where it was."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.training import optimizer
from nlbench.noise import generator


def lowers(name: str) -> str:
    """Steps against the gradient of a square lower it."""
    weights, chosen = _made(name)
    before = weights.square().sum().item()
    _steps(weights, chosen, 20)
    after = weights.square().sum().item()
    return "" if after < before else f"from {before:.4g} it came to {after:.4g} in 20 steps"


def follows(name: str) -> str:
    """At rate 0, set by the schedule, nothing changes."""
    weights, chosen = _made(name)
    for group in chosen.param_groups:
        optimizer.set_rate(group, 0.0)
    before = weights.detach().clone()
    _steps(weights, chosen, 2)
    same = torch.equal(weights.detach(), before)
    return "" if same else "weights change: a step should read group['lr'], which is set per epoch"


def resumes(name: str) -> str:
    """Saved and restored, it goes on to the same bits."""
    weights, chosen = _made(name)
    _steps(weights, chosen, 5)
    other, restored = _made(name)
    with torch.no_grad():
        other.copy_(weights)
    optimizer.restore(restored, copy.deepcopy(optimizer.saved(chosen)))
    for one, its in ((weights, chosen), (other, restored)):
        _steps(one, its, 5)
    same = torch.equal(weights, other)
    return "" if same else "weights differ: what it keeps must be in its state, as torch has it"


CHECKS = (lowers, follows, resumes)


def _made(name: str) -> tuple[nn.Parameter, torch.optim.Optimizer]:
    drawn = generator("nlbench-check").standard_normal((4, 3))
    weights = nn.Parameter(torch.from_numpy(drawn))
    return weights, optimizer.optimiser(Recipe(epochs=1, optimizer=name, lr=0.01), [weights])


def _steps(weights: Tensor, chosen: torch.optim.Optimizer, count: int) -> None:
    for _ in range(count):
        chosen.zero_grad()
        weights.square().sum().backward()  # type: ignore[no-untyped-call]
        chosen.step()
