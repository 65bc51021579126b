"""Peer loss: the loss less that of the labels of other, random samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, Mixing, State, Step

_RELEASE = (
    "github.com/weijiaheng/Multi-class-Peer-Loss-functions (fba9eb6), CIFAR-10/runner.py: uniform"
    " noise"
)
# Added to probabilities, as in the release: it bounds the loss at 11.5.
EDGE = 1e-5
# Epochs of the release, and from epoch to epoch the weight of the peer term as it has it.
PUBLISHED_EPOCHS = 300
_PARTS = ((0.0, 0.0, 20), (0.0, 0.1, 20), (1.0, 2.0, 50), (2.0, 2.5, 50), (2.5, 3.3, 100))
_SCHEDULE = [
    first + (last - first) * at / (count - 1)
    for first, last, count in (*_PARTS, (3.3, 5.0, 100))
    for at in range(count)
]


@register("peer")
@dataclass(frozen=True, kw_only=True)
class Peer(Method):
    """-log(p_y + 1e-5) less a times the same with the label of another sample.

    A network gains nothing by an answer that fits the labels of other samples as well as its own.
    a rises from 0 with the release's schedule for uniform noise, stretched over the run; since 40
    of its 340 values are never reached, it ends at 0.86 alpha.

    Source: Liu and Guo, ICML 2020, and its release. The release's weight jumps from 0.1 to 1 after
    epoch 40 of 300, and so does it here. It divides its learning rate by 1 + a, here the loss is
    divided. Deviation: it draws the other image and label from two further batches and pays two
    passes; here the other label is that of another sample of the batch, and one pass does.
    """

    title: ClassVar[str] = "Peer loss"
    family: ClassVar[str] = "selection"
    formula: ClassVar[str] = "(-log p_y + a log p_y') / (1 + a), y' the label of another sample"
    source: ClassVar[str] = "Liu and Guo, ICML 2020"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"alpha": 5.0},
            recipe={"lr": 0.1, "weight_decay": 1e-4, "l1": 0.0},
            source=_RELEASE,
        )
    }

    alpha: float = hyper(
        5.0,
        "weight of the peer term at the end of the schedule",
        "[0, inf)",
        search=(0.5, 1.0, 2.0, 5.0),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -log(p_y + 1e-5), (N,)."""
        return F.nll_loss((logits.softmax(dim=1) + EDGE).log(), targets, reduction="none")

    def mixing(self) -> Mixing:
        """Return a way to draw another sample of the batch that leaves the images as they are."""
        return Mixing(alpha=0.0)

    def begin(self, facts: Facts) -> State:
        """Return the weight of the peer term."""
        return State(globals={"weight": facts.number()})

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Set the weight of the peer term."""
        at = epoch * PUBLISHED_EPOCHS // facts.epochs
        state.put("weight", self.alpha * _SCHEDULE[at] / _SCHEDULE[-1])

    def step(self, batch: Batch) -> Step:
        """Return the difference for each sample."""
        weight, mixed = batch.globals["weight"], batch.mixed
        assert mixed is not None  # the engine draws them because of `mixing`
        own = self.loss(batch.output, batch.targets)
        other = self.loss(batch.output, batch.targets[mixed.partner])
        return Step(losses=((own - weight * other) / (1.0 + weight),))
