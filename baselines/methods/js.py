"""Jensen-Shannon loss: between cross-entropy and mean absolute error by a weight."""

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

_RELEASE = "github.com/ErikEnglesson/GJS (1a3c9e0), at symmetric noise of 0.4"


@register("js")
@dataclass(frozen=True, kw_only=True)
class JS(Method):
    """Scaled Jensen-Shannon divergence of the one-hot label e and p = softmax(z).

    l = [w KL(e | m) + (1 - w) KL(p | m)] / (-(1 - w) log(1 - w)), m = w e + (1 - w) p: a function
    of p_t alone. w -> 0 is cross-entropy, w -> 1 is 1 - p_t. logits (N, K), targets (N,) -> (N,).

    Source: Englesson & Azizpour, NeurIPS 2021; the release's weights depend on the
    noise rate. Deviation: that code clamps e and m at 1e-7 in the logarithms, this does not.
    """

    title: ClassVar[str] = "JS"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = (
        "[w KL(e|m) + (1 - w) KL(p|m)] / (-(1 - w) log(1 - w)), m = w e + (1 - w) p"
    )
    source: ClassVar[str] = "Englesson & Azizpour, NeurIPS 2021"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar10": Published(params={"w": 0.7}, recipe={}, source=_RELEASE),
        "cifar100": Published(params={"w": 0.3}, recipe={}, source=_RELEASE),
    }

    w: float = hyper(
        0.5,
        "weight of the label; larger is more robust",
        "[1e-6, 0.999]",
        search=(0.1, 0.3, 0.5, 0.7, 0.9),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the scaled divergence, (N,)."""
        # With u = 1 - p: m_t = p + w u, and every term below is of order w before it is divided.
        odds = log_odds(logits, targets)
        p, u, log_p = torch.sigmoid(odds), torch.sigmoid(-odds), F.logsigmoid(odds)
        log_m = torch.logaddexp(log_p, math.log(self.w) + F.logsigmoid(-odds))
        log_ratio = -F.logsigmoid(odds - math.log(self.w))  # log(m_t / p)
        scale = -(1.0 - self.w) * math.log1p(-self.w) / self.w
        return u + (-u * log_m - p * log_ratio / self.w - p * log_p) / scale
