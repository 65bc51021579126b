"""Cross-entropy, the baseline every other method is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register

_RELEASE = "github.com/ZKI-PH-ImageAnalysis/Drainage (b805850)"


@register("ce")
@dataclass(frozen=True, kw_only=True)
class CE(Method):
    """Cross-entropy, l = -log p_t with p = softmax(z).

    logits (N, K), targets (N,) -> (N,) in [0, inf).

    Source: maximum likelihood. Settings as the baseline is run in the Drainage release (MNIST: in
    the release of asymmetric losses, ALF). Deviation: there the L1 term is part of the loss and
    leaks into the reported evaluation loss, here it is the recipe's.
    """

    title: ClassVar[str] = "CE"
    family: ClassVar[str] = "cross-entropy"
    formula: ClassVar[str] = "-log p_y"
    source: ClassVar[str] = "maximum likelihood"
    published: ClassVar[Mapping[str, Published]] = {
        "mnist": Published(
            params={},
            recipe={"lr": 0.01, "weight_decay": 1e-3, "l1": 0.0},
            source="github.com/hitcszx/ALFs (61245e9), main.py",
        ),
        "cifar10": Published(
            params={},
            recipe={"lr": 0.01, "weight_decay": 0.0, "l1": 1e-4},
            source=f"{_RELEASE}, config/cifar10_ce.json: its authors' choice for a rival; APL and"
            " ALF use L2, and draw asymmetric noise in another way",
        ),
        "cifar100": Published(
            params={},
            recipe={"lr": 0.1, "weight_decay": 0.0, "l1": 1e-5},
            source=f"{_RELEASE}, config/cifar100_ce.json: its authors' choice for a rival",
        ),
        "mini_webvision": Published(
            params={},
            recipe={"lr": 0.4, "weight_decay": 3e-5, "l1": 0.0},
            source=f"{_RELEASE}, config/webvision_ce.json",
        ),
        "clothing1m": Published(
            params={},
            recipe={"lr": 1e-3, "weight_decay": 1e-3, "l1": 0.0},
            source=f"{_RELEASE}, config/clothing1m_sce.json: what all its baselines there share",
        ),
    }

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return -log p_t, (N,)."""
        return F.cross_entropy(logits, targets, reduction="none")
