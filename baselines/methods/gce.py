"""Generalised cross-entropy: between cross-entropy (q -> 0) and mean absolute error (q = 1)."""

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

_RELEASE = "github.com/ZKI-PH-ImageAnalysis/Drainage (b805850)"

# Below this, expm1(q log p) / q is log p to the last bit of a float64, and q itself may underflow.
AS_CE = 1e-30


@register("gce")
@dataclass(frozen=True, kw_only=True)
class GCE(Method):
    """Generalised cross-entropy, l = (1 - p_t^q) / q with p = softmax(z).

    q -> 0 is cross-entropy (q = 0 is taken as that limit), q = 1 is 1 - p_t, half the mean absolute
    error between p and the one-hot label. logits (N, K), targets (N,) -> (N,) in [0, 1/q].

    Source: Zhang & Sabuncu, NeurIPS 2018, equation 6. Settings as the baseline is run in the
    Drainage release (MNIST: in that of asymmetric losses, ALF). Deviation: public code clamps p_t
    at 1e-7, where the gradient stops; here l = -expm1(q log p_t) / q without a clamp, exact for
    small q, and the gradient p_t^q (p - onehot) fades to 0 where p_t underflows.
    """

    title: ClassVar[str] = "GCE"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "(1 - p_y^q) / q"
    source: ClassVar[str] = "Zhang & Sabuncu, NeurIPS 2018"
    published: ClassVar[Mapping[str, Published]] = {
        "mnist": Published(
            params={"q": 0.7},
            recipe={"lr": 0.01, "weight_decay": 1e-3, "l1": 0.0},
            source="github.com/hitcszx/ALFs (61245e9), main.py and config.py",
        ),
        "cifar10": Published(
            params={"q": 0.7},
            recipe={"lr": 0.01, "weight_decay": 0.0, "l1": 1e-4},
            source=f"{_RELEASE}, config/cifar10_gce.json: its authors' choice for a rival; APL and"
            " ALF use L2, and draw asymmetric noise in another way",
        ),
        "cifar100": Published(
            params={"q": 0.7},
            recipe={"lr": 0.1, "weight_decay": 0.0, "l1": 1e-5},
            source=f"{_RELEASE}, config/cifar100_gce.json: its authors' choice for a rival",
        ),
        "mini_webvision": Published(
            params={"q": 0.7},
            recipe={"lr": 0.4, "weight_decay": 3e-5, "l1": 0.0},
            source=f"{_RELEASE}, config/webvision_gce.json",
        ),
        "clothing1m": Published(
            params={"q": 0.7},
            recipe={"lr": 1e-3, "weight_decay": 1e-3, "l1": 0.0},
            source=f"{_RELEASE}, config/clothing1m_sce.json: what all its baselines there share",
        ),
    }

    q: float = hyper(
        0.7,
        "0 is cross-entropy, 1 is 1 - p_t; larger is more robust",
        "[0, 1]",
        search=(0.3, 0.5, 0.7, 0.9),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return (1 - p_t^q) / q, (N,)."""
        minus_log_p = F.cross_entropy(logits, targets, reduction="none")
        if self.q < AS_CE:
            return minus_log_p
        return -torch.expm1(-self.q * minus_log_p) / self.q
