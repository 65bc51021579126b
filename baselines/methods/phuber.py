"""Partially Huberised losses: linear in p where p is small, so that the gradient is bounded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.log_odds import log_odds
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register

_REPRODUCTION = (
    "github.com/dmizr/phuber (56e5f71), a reproduction; no code of the authors was found"
)


@register("phuber-ce")
@dataclass(frozen=True, kw_only=True)
class PHuberCE(Method):
    """Partially Huberised cross-entropy: -log p_t, and its tangent at 1/tau where p_t <= 1/tau.

    There l = 1 + log tau - tau p_t. logits (N, K), targets (N,) -> (N,) in [0, 1 + log tau].

    Source: Menon et al., ICLR 2020; tau = 10 as in the reproduction.
    """

    title: ClassVar[str] = "PHuber-CE"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "-log p_y; 1 + log tau - tau p_y where p_y <= 1/tau"
    source: ClassVar[str] = "Menon et al., ICLR 2020"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(
            params={"tau": 2.0}, recipe={}, source=f"{_REPRODUCTION}; the example of its README"
        ),
        "cifar100": Published(
            params={"tau": 10.0}, recipe={}, source=f"{_REPRODUCTION}; conf/loss/phuber_ce.yaml"
        ),
    }

    tau: float = hyper(
        10.0,
        "bound of the slope in p; 1/tau is where the tangent starts",
        "[1, 1e6]",
        search=(2.0, 5.0, 10.0, 30.0),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -log p_t or its tangent, (N,)."""
        odds = log_odds(logits, targets)
        p = torch.sigmoid(odds)
        tangent = 1.0 + math.log(self.tau) - self.tau * p
        return torch.where(p <= 1.0 / self.tau, tangent, -F.logsigmoid(odds))


@register("phuber-gce")
@dataclass(frozen=True, kw_only=True)
class PHuberGCE(Method):
    """Partially Huberised generalised cross-entropy: (1 - p_t^q) / q, its tangent below c.

    c = tau^(-1 / (1 - q)) is where the slope in p is -tau, and l = (1 - c^q) / q + tau (c - p_t)
    below. q -> 0 is PHuber-CE. logits (N, K), targets (N,) -> (N,) in [0, (1 - c^q) / q + tau c].

    Source: Menon et al., ICLR 2020, appendix; q = 0.7 and tau = 10 as in the reproduction
    github.com/dmizr/phuber (56e5f71).
    """

    title: ClassVar[str] = "PHuber-GCE"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = (
        "(1 - p_y^q) / q; its tangent of slope -tau where p_y <= tau^(-1/(1-q))"
    )
    source: ClassVar[str] = "Menon et al., ICLR 2020"

    q: float = hyper(0.7, "exponent; 1 is 1 - p_t", "[1e-6, 1)", search=(0.3, 0.5, 0.7))
    tau: float = hyper(10.0, "bound of the slope in p", "[1, 1e6]", search=(2.0, 5.0, 10.0, 30.0))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return (1 - p_t^q) / q or its tangent, (N,)."""
        odds = log_odds(logits, targets)
        p, log_p = torch.sigmoid(odds), F.logsigmoid(odds)
        log_start = -math.log(self.tau) / (1.0 - self.q)
        highest = -math.expm1(self.q * log_start) / self.q + self.tau * math.exp(log_start)
        gce = -torch.expm1(self.q * log_p) / self.q
        return torch.where(log_p <= log_start, highest - self.tau * p, gce)
