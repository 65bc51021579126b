"""Co-teaching+: Co-teaching on the samples about which the two networks disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nlbench.baselines import small_loss
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.methods.coteaching import CoTeaching
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, State, Step

_RELEASE = "github.com/xingruiyu/coteaching_plus (a68ed61), main.py"
_RECIPE: Mapping[str, str | float] = {
    "optimizer": "adam",
    "lr": 0.001,
    "weight_decay": 0.0,
    "l1": 0.0,
}


@register("coteaching+")
@dataclass(frozen=True, kw_only=True)
class CoTeachingPlus(CoTeaching):
    """Co-teaching at first; then networks learn only from samples they predict differently.

    Of the n samples of a batch with different predictions each network marks the int((1 - R) n) of
    smallest loss, and each learns from those that the other marked. A batch without disagreement
    teaches nothing.

    Source: Yu et al., ICML 2019, and its release. There, once the networks learn from disagreement,
    cross-entropy is taken of softmax outputs, as if they were logits: `legacy` does so. Not kept
    are that sample 0 is never trained on, and that a batch without disagreement trains on all of it
    within the first 5000 steps. Further deviations: as Co-teaching.
    """

    title: ClassVar[str] = "Co-teaching+"
    family: ClassVar[str] = "pairs"
    formula: ClassVar[str] = (
        "Co-teaching among the samples that the two networks predict differently"
    )
    source: ClassVar[str] = "Yu et al., ICML 2019"
    published: ClassVar[Mapping[str, Published]] = {
        "mnist": Published(params={"gradual": 10, "start": 0.0}, recipe=_RECIPE, source=_RELEASE),
        "cifar10": Published(params={"gradual": 10, "start": 0.1}, recipe=_RECIPE, source=_RELEASE),
        "cifar100": Published(
            params={"gradual": 10, "start": 0.025}, recipe=_RECIPE, source=_RELEASE
        ),
    }

    start: float = hyper(
        0.1, "share of the epochs that are Co-teaching", "[0, 1]", search=(0.1, 0.3, 0.5)
    )
    legacy: bool = hyper(False, "softmax twice once networks learn from disagreement, as released")

    def begin(self, facts: Facts) -> State:
        """Return the share of samples that is kept, and of which."""
        kept = torch.ones((), dtype=torch.float64, device=facts.device)
        apart = torch.zeros((), dtype=torch.bool, device=facts.device)
        return State(globals={"kept": kept, "apart": apart})

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Leave out the share of this epoch; select by disagreement from `start` on."""
        final = facts.told["noise_rate"] if self.forget is None else self.forget
        state.put("kept", 1.0 - small_loss.forget_rate(epoch, final, self.gradual))
        state.put("apart", epoch >= round(self.start * facts.epochs))

    def step(self, batch: Batch) -> Step:
        """Return each network's losses, weighted by what the other one keeps."""
        apart, kept = batch.globals["apart"], batch.globals["kept"]
        outputs = [views[0] for views in batch.logits]
        losses = tuple(self.loss(one, batch.targets) for one in outputs)
        if self.legacy:
            twice = [self.loss(one.softmax(dim=1), batch.targets) for one in outputs]
            pairs = zip(twice, losses, strict=True)
            losses = tuple(torch.where(apart, two, once) for two, once in pairs)
        differ = outputs[0].argmax(dim=1) != outputs[1].argmax(dim=1)
        first, second = (small_loss.smallest_among(one, differ | ~apart, kept) for one in losses)
        return Step(losses=losses, weights=(second, first))
