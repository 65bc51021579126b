"""LogitClip: cross-entropy of logit vectors of bounded length."""

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


@register("logit-clip")
@dataclass(frozen=True, kw_only=True)
class LogitClip(Method):
    """Cross-entropy of the clipped logits, z min(1, tau / |z|) with the Euclidean length |z|.

    logits (N, K), targets (N,) -> (N,) in (0, log K + 2 tau].

    Source: Wei et al., ICML 2023. `legacy` is the bug of the release
    (github.com/hongxin001/LogitClip, 7e45730): vectors longer than tau get the length 1 / tau, so
    that the loss jumps there unless tau = 1. The re-run in eps-softmax has the same bug with 1/tau
    called delta. Settings as in the re-run, tau = delta being the length it gives.
    """

    title: ClassVar[str] = "CE+LogitClip"
    family: ClassVar[str] = "outputs"
    formula: ClassVar[str] = "-log softmax(z min(1, tau / |z|))_y"
    source: ClassVar[str] = "Wei et al., ICML 2023"
    shift_invariant: ClassVar[bool] = False
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("cifar10", f"{EPS}, at symmetric noise below 0.5", {"tau": 1.0}),
            trained("cifar100", f"{EPS}, at symmetric noise", {"tau": 0.5}),
            trained("mini_webvision", "Wang et al., NeurIPS 2024, appendix D", {"tau": 1.2}),
        ]
    )

    tau: float = hyper(
        1.0, "greatest length of a logit vector", "[1e-6, 1e6]", search=(0.3, 0.5, 1.0, 1.5, 2.5)
    )
    legacy: bool = hyper(False, "longer vectors get the length 1 / tau, as in the release")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return cross-entropy of the clipped logits, (N,)."""
        length = torch.linalg.vector_norm(logits, dim=1, keepdim=True)
        shrunk = logits * (self.tau / length.clamp(min=self.tau))
        if self.legacy:
            shrunk = torch.where(length > self.tau, shrunk / self.tau**2, logits)
        return F.cross_entropy(shrunk, targets, reduction="none")
