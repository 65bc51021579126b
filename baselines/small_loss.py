"""Selection by small losses: how many samples of a batch are kept, and which."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from nlbench.baselines.state import Facts, State


def forget_rate(epoch: int, final: float, gradual: int) -> float:
    """The share left out in an epoch, counted from 0: rises evenly to `final` in `gradual` epochs.

    The first epoch leaves nothing out, epoch `gradual` - 1 is the first with `final`.
    """
    return final if epoch >= gradual - 1 else epoch * (final / (gradual - 1))


def keep_counts(facts: Facts) -> dict[str, Tensor]:
    """Return for each batch size of an epoch a scalar of how many are kept: all, at first."""
    last = len(facts.trained) - (facts.steps - 1) * facts.batch_size
    return {_name(size): facts.number(size) for size in {last, facts.batch_size} if size > 0}


def set_rate(state: State, rate: float) -> None:
    """Keep int((1 - rate) size) samples of each batch, counted in float64 as released code does."""
    for name in state.globals:
        if name.startswith("keep_"):
            state.put(name, int((1.0 - rate) * int(name.removeprefix("keep_"))))


def smallest(losses: Tensor, counts: Mapping[str, Tensor]) -> Tensor:
    """Return weights (B,) that make a mean over the batch one over the samples of smallest loss.

    The earlier one of equal losses is kept. Where none is to be kept all weights are 0.
    """
    size = len(losses)
    keep = counts[_name(size)]
    rank = losses.detach().argsort(stable=True).argsort()
    weight: Tensor = size / keep.clamp(min=1.0)
    return (rank < keep).to(losses.dtype) * weight


def smallest_among(losses: Tensor, candidates: Tensor, share: Tensor) -> Tensor:
    """Return weights as `smallest` does, over int(share * n) of the n candidates.

    Args:
        losses: (B,).
        candidates: (B,) bool; where there is none all weights are 0.
        share: scalar, in float64 so that it is counted as released code does.
    """
    count = (share * candidates.sum()).floor()
    rank = losses.detach().masked_fill(~candidates, math.inf).argsort(stable=True).argsort()
    scale = len(losses) / count.clamp(min=1.0)
    return (rank < count).to(losses.dtype) * scale.to(losses.dtype)


def _name(size: int) -> str:
    return f"keep_{size}"


def of_each_class(losses: Tensor, given: Tensor, classes: int, quota: int) -> Tensor:
    """Return which samples are among the `quota` with the least loss of their class, (N,) bool.

    Args:
        losses: (N,); the first one of equals is the lesser.
        given: (N,) int64 labels.
        classes: K.
        quota: of a class with fewer samples all of them.
    """
    # Sorted by loss, then, keeping that order, by class: ranks count from each class's first place.
    order = losses.argsort(stable=True)
    order = order[given[order].argsort(stable=True)]
    counts = torch.bincount(given, minlength=classes)
    starts = counts.cumsum(0) - counts
    ranks = torch.arange(len(losses), device=losses.device) - starts[given[order]]
    return torch.zeros_like(given, dtype=torch.bool).index_put((order,), ranks < quota)
