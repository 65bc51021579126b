"""SELC: labels that move towards the network's own predictions, by a running mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Facts, State, Step

_RELEASE = "github.com/MacLLL/SELC (69bcf1e): symmetric noise of 0.2"


@register("selc")
@dataclass(frozen=True, kw_only=True)
class SELC(Method):
    """Cross-entropy with soft labels t_i <- momentum t_i + (1 - momentum) p, one-hot at first.

    In the first epochs the labels are the given ones and do not move; then they move at each visit,
    before the loss -sum_k t_k log p_k is taken.

    Source: Lu and He, IJCAI 2022, and its release. There the epoch from which labels move is
    estimated for each setting: 40, 30, 30, 40 of 200 for symmetric noise of 0.2 to 0.8 on CIFAR-10,
    40 for asymmetric noise; 30, 20, 30, 40 and 20 on CIFAR-100. Deviation: one share of the epochs
    for all settings, since a value for each is a tuning that other methods do not get.
    """

    title: ClassVar[str] = "SELC"
    family: ClassVar[str] = "correction"
    formula: ClassVar[str] = "-sum_k t_ik log p_k, t_i <- momentum t_i + (1 - momentum) p"
    source: ClassVar[str] = "Lu and He, IJCAI 2022"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"momentum": 0.9, "start": 0.2},
            recipe={"lr": 0.02, "weight_decay": 1e-3, "l1": 0.0},
            source=_RELEASE,
        ),
        "cifar100": Published(
            params={"momentum": 0.9, "start": 0.15},
            recipe={"lr": 0.02, "weight_decay": 1e-3, "l1": 0.0},
            source=_RELEASE,
        ),
    }

    momentum: float = hyper(
        0.9, "share of the old label that is kept at each visit", "[0, 1]", search=(0.8, 0.9, 0.95)
    )
    start: float = hyper(
        0.2, "share of the epochs after which labels move", "[0, 1]", search=(0.1, 0.2, 0.4)
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return the given labels, one-hot, that do not move yet."""
        moving = torch.zeros((), dtype=torch.bool, device=facts.device)
        return State(rows={"label": facts.one_hot_labels()}, globals={"moving": moving})

    def begin_epoch(self, state: State, facts: Facts, epoch: int, sweep: Tensor | None) -> None:  # noqa: ARG002
        """Let the labels move after the last epoch of plain cross-entropy."""
        state.put("moving", epoch > round(self.start * facts.epochs))

    def step(self, batch: Batch) -> Step:
        """Return cross-entropy with the given labels, later with the moved ones."""
        moving, label = batch.globals["moving"], batch.rows["label"]
        p = batch.output.detach().softmax(dim=1)
        label = torch.where(moving, self.momentum * label + (1.0 - self.momentum) * p, label)
        soft = -(label * batch.output.log_softmax(dim=1)).sum(dim=1)
        losses = torch.where(moving, soft, self.loss(batch.output, batch.targets))
        return Step(losses=(losses,), rows={"label": label})
