"""Focal loss: cross-entropy with less weight on what is already fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.log_odds import log_odds
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.releases import ALF, DRAINAGE, trained
from nlbench.baselines.terms import focal_weights


@register("focal")
@dataclass(frozen=True, kw_only=True)
class Focal(Method):
    """Focal loss, l = -(1 - p_t)^gamma log p_t with p = softmax(z).

    gamma = 0 is cross-entropy. logits (N, K), targets (N,) -> (N,) in [0, inf).

    Source: Lin et al., ICCV 2017. `legacy` is the bug of the public code (APL, ANL, ALF, Drainage,
    eps-softmax): the weight (1 - p_t)^gamma is detached, so that the gradient is not that of the
    loss. Published numbers were made with it.
    """

    title: ClassVar[str] = "Focal"
    family: ClassVar[str] = "cross-entropy"
    formula: ClassVar[str] = "-(1 - p_y)^gamma log p_y"
    source: ClassVar[str] = "Lin et al., ICCV 2017"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", ALF, {"gamma": 0.5}),
            trained("cifar10", f"{DRAINAGE}, config/cifar10_fl.json", {"gamma": 0.5}),
            trained("cifar100", f"{DRAINAGE}, config/cifar100_fl.json", {"gamma": 0.5}),
        ]
    )

    gamma: float = hyper(
        0.5,
        "0 is cross-entropy; larger turns away from fitted samples",
        "[0, inf)",
        search=(0.1, 0.5, 1.0, 2.0),
    )
    legacy: bool = hyper(False, "detach the weight, as public code does")

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -(1 - p_t)^gamma log p_t, (N,)."""
        odds = log_odds(logits, targets)
        weights = focal_weights(F.logsigmoid(-odds), self.gamma, self.legacy)
        return -weights * F.logsigmoid(odds)
