"""Two networks that draw batches of their own after a warm-up: what such methods have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method
from nlbench.baselines.state import Batch, Engine, Facts, Step


@dataclass(frozen=True, kw_only=True)
class WarmedPair(Method):
    """Two networks; epochs of cross-entropy, then of the method's own.

    Predictions are those of the mean logits.
    """

    family: ClassVar[str] = "semi-supervised"
    members: ClassVar[int] = 2
    selects: ClassVar[bool] = True
    own_batches: ClassVar[bool] = True

    warm: float = hyper(0.0333, "share of the epochs of the warm-up; one epoch at least", "[0, 1]")
    confident: bool = hyper(False, "subtract the predictions' entropy in the warm-up")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def combine(self, logits: Sequence[Tensor]) -> Tensor:
        """Return the mean of the logits."""
        return torch.stack(list(logits)).mean(dim=0)

    def step(self, batch: Batch) -> Step:
        """Return the losses of the warm-up."""
        outputs = [views[0] for views in batch.logits]
        losses = [self.loss(one, batch.targets) for one in outputs]
        if self.confident:
            losses = [_less_entropy(*pair) for pair in zip(losses, outputs, strict=True)]
        return Step(losses=tuple(losses))

    def draws_batches(self, facts: Facts, epoch: int) -> bool:
        """Return whether the warm-up is over."""
        return epoch >= max(1, self.warm_epochs(facts))

    def warm_epochs(self, facts: Facts) -> int:
        """Return the length of the warm-up, 0 where there is one epoch of it all the same."""
        return round(self.warm * facts.epochs)


@torch.no_grad()
def looked(engine: Engine, members: Sequence[int], views: Sequence[Tensor]) -> list[Tensor]:
    """Return the logits of these networks for these views, without gradient."""
    return [engine.logits(member, one) for member in members for one in views]


def _less_entropy(losses: Tensor, logits: Tensor) -> Tensor:
    """The losses less the entropy of the predictions, (B,)."""
    return losses + (logits.softmax(dim=1) * logits.log_softmax(dim=1)).sum(dim=1)
