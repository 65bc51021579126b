"""Epsilon-softmax: the largest probability is raised until the output is nearly one-hot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines import terms
from nlbench.baselines.hyper import hyper
from nlbench.baselines.log_odds import log_odds
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.releases import EPS, trained

# Part of the method: below it the cross-entropy part is constant and has no gradient.
_FLOOR = 1e-8


@register("eps-softmax")
@dataclass(frozen=True, kw_only=True)
class EpsSoftmax(Method):
    """Epsilon-softmax, l = alpha CE_eps + beta 2 (1 - p_t) with p = softmax(z).

    CE_eps = -log max(s_t, 1e-8), where s is p with m added to the largest p_k (the first among
    equals) and divided by m + 1. Where the label is not the argmax and p_t < 1e-8 (m + 1), CE_eps
    has no gradient: 1e-3 for m = 1e5. m = 0 is alpha CE + beta MAE but for the floor.
    logits (N, K), targets (N,) -> (N,) in [0, 18.5 alpha + 2 beta].

    Source: Wang et al., NeurIPS 2024; its release, of which alpha, beta and m depend on the noise.
    """

    title: ClassVar[str] = "eps-softmax (CE+MAE)"
    family: ClassVar[str] = "outputs"
    formula: ClassVar[str] = (
        "alpha (-log s_y) + beta 2 (1 - p_y), s = (p + m onehot(argmax p)) / (m + 1)"
    )
    source: ClassVar[str] = "Wang et al., NeurIPS 2024"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained(
                "cifar10",
                f"{EPS}, at symmetric noise",
                {"alpha": 0.01, "beta": 5.0, "m": 1e5},
            ),
            trained(
                "cifar100",
                f"{EPS}, at symmetric noise of 0.4",
                {"alpha": 0.03, "beta": 1.0, "m": 1e4},
            ),
            trained(
                "mini_webvision",
                "Wang et al., NeurIPS 2024, appendix D",
                {"alpha": 0.015, "beta": 0.3, "m": 1e3},
            ),
            trained(
                "clothing1m",
                "Wang et al., NeurIPS 2024, appendix D",
                {"alpha": 0.012, "beta": 0.1, "m": 1e3},
                lr=5e-3,
            ),
        ]
    )

    alpha: float = hyper(
        0.01,
        "weight of cross-entropy of the epsilon-softmax",
        "[0, inf)",
        search=(0.005, 0.01, 0.05, 0.1),
    )
    beta: float = hyper(5.0, "weight of 2 (1 - p_t)", "[0, inf)")
    m: float = hyper(
        1e5,
        "what the largest probability is raised by; 0 is the softmax",
        "[0, 1e7]",
        search=(100.0, 1000.0, 10000.0, 100000.0),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return alpha CE_eps + beta 2 (1 - p_t), (N,)."""
        rest = terms.mae(logits, targets)
        raised = -torch.log1p(-rest / (self.m + 1.0))
        plain = math.log1p(self.m) - F.logsigmoid(log_odds(logits, targets))
        ce = torch.where(logits.argmax(dim=1) == targets, raised, plain)
        return self.alpha * ce.clamp(max=-math.log(_FLOOR)) + self.beta * 2.0 * rest
