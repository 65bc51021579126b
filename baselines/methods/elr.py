"""Early-learning regularisation: a memory of each sample's predictions that later ones must fit."""

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

_RELEASE = "github.com/shengliu66/ELR (934af53), ELR/config_{}.json: symmetric noise"
# Probabilities are kept this far from 0 and 1, as in the paper's code: it bounds the log term.
EDGE = 1e-4


@register("elr")
@dataclass(frozen=True, kw_only=True)
class ELR(Method):
    """Cross-entropy + lam log(1 - <t_i, p>), t_i a running mean of the sample's predictions.

    At each visit t_i <- beta t_i + (1 - beta) p first, without gradient, then the loss is taken;
    t_i starts at 0 and p is clamped to [1e-4, 1 - 1e-4]. The log term is bounded by log 1e-4 and
    below 0: it draws p towards the predictions from before wrong labels were fitted.

    Source: Liu et al., NeurIPS 2020, and its release, which sets beta = 0.9, lam = 1 for asymmetric
    noise on CIFAR-10 and the values below for symmetric noise.
    """

    title: ClassVar[str] = "ELR"
    family: ClassVar[str] = "correction"
    formula: ClassVar[str] = "-log p_y + lam log(1 - <t_i, p>), t_i <- beta t_i + (1 - beta) p"
    source: ClassVar[str] = "Liu et al., NeurIPS 2020"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"beta": 0.7, "lam": 3.0},
            recipe={"lr": 0.02, "weight_decay": 1e-3, "l1": 0.0},
            source=_RELEASE.format("cifar10"),
        ),
        "cifar100": Published(
            params={"beta": 0.9, "lam": 7.0},
            recipe={"lr": 0.02, "weight_decay": 1e-3, "l1": 0.0},
            source=_RELEASE.format("cifar100"),
        ),
    }

    beta: float = hyper(
        0.7, "share of the old target that is kept at each visit", "[0, 1]", search=(0.5, 0.7, 0.9)
    )
    lam: float = hyper(3.0, "weight of the regularisation", "[0, inf)", search=(1.0, 3.0, 7.0))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return targets of zeros."""
        return State(rows={"target": facts.zeros(facts.samples, facts.num_classes)})

    def step(self, batch: Batch) -> Step:
        """Return the loss with the targets as they are after this visit."""
        losses = self.loss(batch.output, batch.targets)
        p = batch.output.softmax(dim=1).clamp(EDGE, 1.0 - EDGE)
        seen = p.detach() / p.detach().sum(dim=1, keepdim=True)
        target = self.beta * batch.rows["target"] + (1.0 - self.beta) * seen
        if self.lam > 0.0:
            losses = losses + self.lam * torch.log1p(-(target * p).sum(dim=1))
        return Step(losses=(losses,), rows={"target": target})
