"""Generalised Jensen-Shannon loss: the label and the predictions for two views must agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published
from nlbench.baselines.methods.js import JS
from nlbench.baselines.registry import register
from nlbench.baselines.state import Batch, Step

_RELEASE = "github.com/ErikEnglesson/GJS (1a3c9e0), at symmetric noise of 0.4"


@register("gjs")
@dataclass(frozen=True, kw_only=True)
class GJS(JS):
    """Scaled Jensen-Shannon divergence of the label e and the predictions p1, p2 for two views.

    l = [w KL(e | m) + (1 - w)/2 (KL(p1 | m) + KL(p2 | m))] / (-(1 - w) log(1 - w)) with
    m = w e + (1 - w)/2 (p1 + p2). Two equal views are JS with the same w.

    Source: Englesson & Azizpour, NeurIPS 2021, and its release, whose w goes with the noise rate
    and whose views are both RandAugment with cutout. Deviations: here the first view is that of
    every method and the second the strong one; that code clamps e and m at 1e-7 in the logarithms.
    """

    title: ClassVar[str] = "GJS"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "JS of e and two views' predictions: weights w, (1 - w)/2, (1 - w)/2"
    views: ClassVar[int] = 2
    strong_views: ClassVar[bool] = True
    version: ClassVar[int] = 2
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(params={"w": 0.9}, recipe={}, source=_RELEASE),
        "cifar100": Published(params={"w": 0.5}, recipe={}, source=_RELEASE),
    }

    # Below 0.01 float32 loses the difference of the two terms.
    w: float = hyper(
        0.5,
        "weight of the label; larger is more robust",
        "[0.01, 0.99]",
        search=(0.1, 0.3, 0.5, 0.9),
    )

    def step(self, batch: Batch) -> Step:
        """Return the divergence of each sample."""
        share = 0.5 * (1.0 - self.w)
        losses = divergence(batch.logits[0], batch.targets, (self.w, share, share))
        return Step(losses=(losses,))


def divergence(views: Sequence[Tensor], targets: Tensor, weights: Sequence[float]) -> Tensor:
    """Return the scaled divergence, (B,); `weights` are those of the label and of each view."""
    w, *shares = weights
    logs = [logits.log_softmax(dim=1) for logits in views]
    pairs = list(zip(logs, shares, strict=True))
    mixed = torch.logsumexp(torch.stack([log_p + math.log(pi) for log_p, pi in pairs]), dim=0)
    label = F.one_hot(targets, mixed.shape[1]).bool()
    with_label = torch.logaddexp(mixed, torch.full_like(mixed, math.log(w)))
    log_m = torch.where(label, with_label, mixed)
    total = -w * log_m.gather(1, targets[:, None]).squeeze(1)
    for log_p, pi in pairs:
        total = total + pi * (log_p.exp() * (log_p - log_m)).sum(dim=1)
    return total / (-(1.0 - w) * math.log1p(-w))
