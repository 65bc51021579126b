"""Co-teaching: two networks, each trained on the samples whose loss is small for the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines import small_loss
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, State, Step

_RELEASE = "github.com/bhanML/Co-teaching (7c7fbe2), main.py"


@register("coteaching")
@dataclass(frozen=True, kw_only=True)
class CoTeaching(Method):
    """Cross-entropy of two networks, each over the samples that the other one finds easy.

    Of a batch of B each network marks the int((1 - R) B) samples of smallest loss, and each learns
    from those that the other marked. R rises evenly from 0 to the forget rate within the first
    epochs. Predictions are those of the mean probability; member 0 alone is recorded beside them.

    Source: Han et al., NeurIPS 2018, and its release, which trains a 9-layer network by Adam
    without augmentation and is given the nominal noise rate. Deviations: the mean over the kept
    samples, which the release divides by their number once more (Adam does not notice); the forget
    rate is the share of wrong labels, for asymmetric noise too; Adam's beta1, 0.1 in the release
    while its rate falls, stays as it is.
    """

    title: ClassVar[str] = "Co-teaching"
    family: ClassVar[str] = "pairs"
    formula: ClassVar[str] = "CE over the (1 - R) B samples of smallest CE in the other network"
    source: ClassVar[str] = "Han et al., NeurIPS 2018"
    members: ClassVar[int] = 2
    selects: ClassVar[bool] = True
    privileged: ClassVar[frozenset[str]] = frozenset({"noise_rate"})
    published: ClassVar[Mapping[str, Published]] = {
        family: Published(
            params={"gradual": 10},
            recipe={"optimizer": "adam", "lr": 0.001, "weight_decay": 0.0, "l1": 0.0},
            source=_RELEASE,
        )
        for family in ("mnist", "cifar10", "cifar100")
    }

    forget: float | None = hyper(
        None, "share of samples left out in the end; none: the noise rate, which is told", "[0, 1)"
    )
    gradual: int = hyper(
        10, "epochs until the full share is left out", "[1, inf)", search=(5, 10, 15)
    )

    def asks(self) -> frozenset[str]:
        """Return the noise rate, unless the forget rate is set."""
        return self.privileged if self.forget is None else frozenset()

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return how many samples of a batch are kept."""
        return State(globals=small_loss.keep_counts(facts))

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Leave out the share of this epoch."""
        final = facts.told["noise_rate"] if self.forget is None else self.forget
        small_loss.set_rate(state, small_loss.forget_rate(epoch, final, self.gradual))

    def step(self, batch: Batch) -> Step:
        """Return each network's losses, weighted by what the other one keeps."""
        losses = tuple(self.loss(views[0], batch.targets) for views in batch.logits)
        first, second = (small_loss.smallest(one, batch.globals) for one in losses)
        return Step(losses=losses, weights=(second, first))
