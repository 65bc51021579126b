"""What methods draw that make their own batches: ids in random order, and how images are mixed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


def one_pass(ids: Tensor, size: int, random: Any) -> Iterator[Tensor]:
    """All ids once in batches, in random order; a rest of one, too few for BatchNorm, is left out.

    Args:
        ids: (n,).
        size: of a batch.
        random: a NumPy generator, as `Facts.generator` gives it.
    """
    order = torch.from_numpy(random.permutation(len(ids))).to(ids.device)
    yield from (part for part in torch.split(ids[order], size) if len(part) > 1)


def endless(ids: Tensor, size: int, random: Any) -> Iterator[Tensor]:
    """One pass after the other."""
    while True:
        yield from one_pass(ids, size, random)


def mixing(count: int, alpha: float, random: Any, device: torch.device) -> tuple[float, Tensor]:
    """Return the weight of each image itself, at least one half, and the partner of each.

    Args:
        count: of images.
        alpha: both parameters of the weight's beta distribution; 0: the weight is 1.
        random: as for `one_pass`.
        device: of the images.
    """
    weight = float(random.beta(alpha, alpha)) if alpha > 0.0 else 1.0
    partner = torch.from_numpy(random.permutation(count)).to(device)
    return max(weight, 1.0 - weight), partner


def mixed(values: Tensor, weight: float, partner: Tensor) -> Tensor:
    """Return each row mixed with its partner's."""
    return weight * values + (1.0 - weight) * values[partner]
