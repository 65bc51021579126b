"""SOP: each sample has parameters of its own that explain its label's noise."""

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

_RELEASE = "github.com/shengliu66/SOP (4d991ce), config: symmetric noise"
EDGE = 1e-4
# Standard deviation of the first values of u and v.
SMALL = 1e-8


@register("sop")
@dataclass(frozen=True, kw_only=True)
class SOP(Method):
    """Cross-entropy of a corrected prediction, and a squared error that trains the correction.

    Each sample has u and v, U = min(u^2, 1) y and V = min(v^2, 1) (1 - y). With q the prediction
    p + U - V, clamped at 1e-4 and normalised, and h the one-hot argmax,
    l = -log q_t + |h + U - V - y|^2. u learns from both terms, v only from the second, the network
    only from the first. u and v are trained by plain SGD at constant rates; since the objective is
    a mean over the batch, the rates go with its size (128 in the release).

    Source: Liu et al., ICML 2022, and its release, which sets lr_u 0.1 and lr_v 100 for asymmetric
    noise on CIFAR-100 and the values below for symmetric noise.
    """

    title: ClassVar[str] = "SOP"
    family: ClassVar[str] = "correction"
    formula: ClassVar[str] = "-log q_y + |h + U - V - e|^2, q from p + U - V, h = onehot(argmax p)"
    source: ClassVar[str] = "Liu et al., ICML 2022"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"lr_u": 10.0, "lr_v": 10.0},
            recipe={"lr": 0.02, "weight_decay": 5e-4, "l1": 0.0},
            source=_RELEASE,
        ),
        "cifar100": Published(
            params={"lr_u": 1.0, "lr_v": 10.0},
            recipe={"lr": 0.02, "weight_decay": 1e-3, "l1": 0.0},
            source=_RELEASE,
        ),
    }

    lr_u: float = hyper(
        10.0, "learning rate of u, the share of the label", "[0, inf)", search=(0.1, 1.0, 10.0)
    )
    lr_v: float = hyper(
        10.0,
        "learning rate of v, the share of the other classes",
        "[0, inf)",
        search=(1.0, 10.0, 100.0),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")

    def begin(self, facts: Facts) -> State:
        """Return u and v near 0, trained."""
        rows = {
            name: torch.from_numpy(
                SMALL * facts.generator(name).standard_normal((facts.samples, width))
            ).to(facts.device, facts.dtype)
            for name, width in (("u", 1), ("v", facts.num_classes))
        }
        return State(rows=rows, rates={"u": self.lr_u, "v": self.lr_v})

    def step(self, batch: Batch) -> Step:
        """Return the two terms of each sample."""
        label = F.one_hot(batch.targets, batch.output.shape[1]).to(batch.output.dtype)
        return Step(losses=(self.corrected(batch, label)[1],))

    def corrected(self, batch: Batch, label: Tensor) -> tuple[Tensor, Tensor]:
        """Return q, (B, K), and the loss of each sample."""
        u = (batch.rows["u"] ** 2).clamp(0.0, 1.0) * label
        v = (batch.rows["v"] ** 2).clamp(0.0, 1.0) * (1.0 - label)
        shifted = (batch.output.softmax(dim=1) + u - v.detach()).clamp(min=EDGE)
        q = (shifted / shifted.sum(dim=1, keepdim=True)).clamp(EDGE, 1.0)
        guess = F.one_hot(batch.output.detach().argmax(dim=1), label.shape[1]).to(label.dtype)
        square = ((guess + u - v - label) ** 2).sum(dim=1)
        return q, square - (label * q.log()).sum(dim=1)


@register("sop+")
@dataclass(frozen=True, kw_only=True)
class SOPPlus(SOP):
    """SOP with two views: their predictions must agree, and all classes must be predicted.

    Adds consistency KL(p1 | p2), p1 of the first view without gradient, and balance times
    -sum_k (1/K) log of the batch mean of q_k. Both views are one forward pass.

    Source: as SOP. Deviation: there the second view is AutoAugment with cutout, here the strong
    view of all methods, RandAugment's operations with cutout.
    """

    title: ClassVar[str] = "SOP+"
    family: ClassVar[str] = "correction"
    formula: ClassVar[str] = "SOP + consistency KL(p1|p2) + balance (-sum_k log(mean q_k) / K)"
    views: ClassVar[int] = 2
    strong_views: ClassVar[bool] = True
    version: ClassVar[int] = 2
    joined_views: ClassVar[bool] = True
    published: ClassVar[Mapping[str, Published]] = SOP.published

    consistency: float = hyper(
        0.9, "weight of the agreement of two views", "[0, inf)", search=(0.1, 0.9)
    )
    balance: float = hyper(0.1, "weight of the balance of predicted classes", "[0, inf)")

    def step(self, batch: Batch) -> Step:
        """Return the terms of SOP and of agreement of each sample, and that of balance."""
        first, second = (logits.log_softmax(dim=1) for logits in batch.logits[0])
        label = F.one_hot(batch.targets, first.shape[1]).to(first.dtype)
        q, losses = self.corrected(batch, label)
        agreement = F.kl_div(second, first.detach(), reduction="none", log_target=True).sum(dim=1)
        return Step(
            losses=(losses + self.consistency * agreement,),
            extra=-self.balance * q.mean(dim=0).log().mean(),
        )
