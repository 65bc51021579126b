"""Deep abstaining classifier: one more output for what is not to be classified, at a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.extra_output import ExtraOutput
from nlbench.baselines.hyper import hyper
from nlbench.baselines.registry import register


@register("dac-constant")
@dataclass(frozen=True, kw_only=True)
class DACConstant(ExtraOutput):
    """Abstention loss with a constant price, l = (1 - p_a) CE - alpha log(1 - p_a).

    p_a is the abstention output's share in the softmax over all K + 1, CE the cross-entropy over
    the K classes alone. p_a -> 0 is cross-entropy; a large alpha forbids abstaining.
    logits (N, K + 1), targets (N,) in [0, K) -> (N,) in [0, inf).

    Source: Thulasidasan et al., ICML 2019; github.com/thulas/dac-label-noise (678e468). Deviations:
    there alpha rises to 1 after 20 epochs of cross-entropy, here it is 1 throughout; there
    abstained samples are dropped and a second network is trained on the rest, here not; there p_a
    is capped at 1 - 1e-7.
    """

    title: ClassVar[str] = "DAC (constant alpha)"
    family: ClassVar[str] = "extra-output"
    formula: ClassVar[str] = "(1 - p_a) CE - alpha log(1 - p_a), CE of the K classes alone"
    source: ClassVar[str] = "Thulasidasan et al., ICML 2019"

    alpha: float = hyper(1.0, "price of abstaining", "[0, inf)", search=(0.3, 1.0, 3.0, 10.0))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return (1 - p_a) CE - alpha log(1 - p_a), (N,)."""
        real = logits[:, :-1]
        odds = logits[:, -1] - torch.logsumexp(real, dim=1)
        ce = F.cross_entropy(real, targets, reduction="none")
        return torch.sigmoid(-odds) * ce - self.alpha * F.logsigmoid(-odds)
