"""Sparse regularisation: cross-entropy and a penalty that draws the output to one-hot vectors."""

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
from nlbench.baselines.releases import SR, trained


@register("sr-constant")
@dataclass(frozen=True, kw_only=True)
class SparseRegularisation(Method):
    """Sparse regularisation, l = -log p_t + lam sum_k p_k^p, with a constant weight lam.

    p_k is the softmax of the logits divided by their Euclidean length and by tau. logits (N, K),
    targets (N,) -> (N,) in (0, inf).

    Source: Zhou et al., ICCV 2021; its release, where lam starts at the published value and grows
    by 3 % (CIFAR-10) or 2 % (CIFAR-100) an epoch. Deviations: here lam stays; there p_k is clamped
    at 1e-7 in the penalty, which normalised logits do not reach, and for MNIST they are left as
    they are.
    """

    title: ClassVar[str] = "SR (constant lambda)"
    family: ClassVar[str] = "outputs"
    formula: ClassVar[str] = "-log p_y + lam sum_k p_k^p, p_k = softmax(z / (|z| tau))_k"
    source: ClassVar[str] = "Zhou et al., ICCV 2021"
    shift_invariant: ClassVar[bool] = False
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("cifar10", SR, {"tau": 0.5, "p": 0.1, "lam": 1.2}),
            trained("cifar100", SR, {"tau": 0.5, "p": 0.01, "lam": 10.0}),
        ]
    )

    tau: float = hyper(0.5, "temperature of the softmax", "[0.001, 1000]", search=(0.3, 0.5, 1.0))
    p: float = hyper(0.1, "exponent of the penalty; smaller is sparser", "(0, 1]")
    lam: float = hyper(
        1.2, "weight of the penalty, lambda", "[0, inf)", search=(0.5, 1.2, 4.0, 10.0)
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -log p_t + lam sum_k p_k^p, (N,)."""
        log_p = torch.log_softmax(F.normalize(logits, dim=1) / self.tau, dim=1)
        penalty = torch.exp(self.p * log_p).sum(dim=1)
        return -log_p.gather(1, targets[:, None]).squeeze(1) + self.lam * penalty
