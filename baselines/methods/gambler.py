"""Gambler's loss: one more output for the part of a stake that is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nlbench.baselines.extra_output import ExtraOutput
from nlbench.baselines.hyper import hyper
from nlbench.baselines.registry import register


@register("gambler")
@dataclass(frozen=True, kw_only=True)
class Gambler(ExtraOutput):
    """Gambler's loss, l = -log(p_t + p_a / o) with p the softmax over all K + 1 outputs.

    p_a is the extra output's share and o the payoff: a small one makes reserving cheap, o -> inf is
    cross-entropy over K + 1 outputs, of which the last is never the label.
    logits (N, K + 1), targets (N,) in [0, K) -> (N,) in [0, inf).

    Source: Liu Ziyin et al., NeurIPS 2019, on selective prediction;
    github.com/Z-T-WANG/NIPS2019DeepGamblers (0d1b595), whose default is o = 2.2. For CIFAR-10 and
    o < 6.1 it trains 100 epochs of cross-entropy first, since the network else reserves everything.
    Deviation: here there is no such start, and the default is 6.1.
    """

    title: ClassVar[str] = "Gambler's loss"
    family: ClassVar[str] = "extra-output"
    formula: ClassVar[str] = "-log(p_y + p_a / o)"
    source: ClassVar[str] = "Liu Ziyin et al., NeurIPS 2019"

    o: float = hyper(
        6.1,
        "payoff of the label; smaller reserves more",
        "[1, 1e6]",
        search=(1.5, 2.2, 4.0, 6.1, 9.0),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -log(p_t + p_a / o), (N,)."""
        log_p = torch.log_softmax(logits, dim=1)
        of_label = log_p[:, :-1].gather(1, targets[:, None]).squeeze(1)
        return -torch.logaddexp(of_label, log_p[:, -1] - math.log(self.o))
