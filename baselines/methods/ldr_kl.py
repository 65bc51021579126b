"""LDR-KL: label-distributionally robust loss with a KL penalty."""

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
from nlbench.baselines.releases import EPS, trained

# Below this softplus(z) is e^z to 1e-13, and its logarithm z.
_TAIL = -30.0


def positive_shares(logits: Tensor) -> Tensor:
    """softplus(z) over its mean across the classes, (N, K) -> (N, K), by logarithms.

    All logits far below 0 would give 0 / 0 otherwise.
    """
    log_positive = torch.where(
        logits < _TAIL, logits, torch.log(F.softplus(logits.clamp(min=_TAIL)))
    )
    return logits.shape[1] * torch.softmax(log_positive, dim=1)


@register("ldr-kl")
@dataclass(frozen=True, kw_only=True)
class LDRKL(Method):
    """LDR-KL loss, l = lam log mean_k exp((margin [k != t] + s_k - s_t) / lam).

    s is softplus(z) divided by its mean over the classes. The worst case over distributions of the
    label, those far from uniform by KL penalised with lam. logits (N, K), targets (N,) -> (N,).

    Source: Zhu et al., ICML 2023; form and settings as re-run in eps-softmax.
    """

    title: ClassVar[str] = "LDR-KL"
    family: ClassVar[str] = "outputs"
    formula: ClassVar[str] = (
        "lam log mean_k exp((margin [k != y] + s_k - s_y) / lam), s = softplus(z) / its mean"
    )
    source: ClassVar[str] = "Zhu et al., ICML 2023"
    shift_invariant: ClassVar[bool] = False
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", EPS, {"lam": 10.0, "margin": 0.1}),
            trained("cifar10", EPS, {"lam": 10.0, "margin": 0.1}),
            trained("cifar100", EPS, {"lam": 1.0, "margin": 0.1}),
            trained("mini_webvision", EPS, {"lam": 1.0, "margin": 0.1}),
            trained("clothing1m", EPS, {"lam": 1.0, "margin": 0.1}, lr=5e-3),
        ]
    )

    lam: float = hyper(
        1.0,
        "weight of the KL penalty, lambda; large is the mean",
        "[0.001, 1e6]",
        search=(0.1, 1.0, 10.0),
    )
    margin: float = hyper(0.1, "what the label must lead by", "[0, 1000]")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return lam log mean_k exp((margin [k != t] + s_k - s_t) / lam), (N,)."""
        shares, index = positive_shares(logits), targets[:, None]
        lead = (shares + self.margin).scatter(1, index, shares.gather(1, index))
        lead = (lead - shares.gather(1, index)) / self.lam
        # As expm1 and log1p: log K taken from a logsumexp would cancel where lam is large.
        most = lead.detach().amax(dim=1, keepdim=True)
        mean = torch.expm1(lead - most).mean(dim=1)
        return self.lam * (most.squeeze(1) + torch.log1p(mean))
