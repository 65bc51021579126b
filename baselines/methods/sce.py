"""Symmetric cross-entropy: cross-entropy and its reverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines import terms
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register
from nlbench.baselines.releases import DRAINAGE, EPS, trained


@register("sce")
@dataclass(frozen=True, kw_only=True)
class SCE(Method):
    """Symmetric cross-entropy, l = alpha CE + beta RCE, RCE = -sum_k p_k log y_k.

    With log 0 = log 1e-4, RCE is 9.21 (1 - p_t): a mix of cross-entropy and mean absolute error.
    logits (N, K), targets (N,) -> (N,) in [0, inf).

    Source: Wang et al., ICCV 2019; their code and the Drainage release. The paper prints log 0 as
    -4, all public code clips the one-hot label at 1e-4, and so does this. Deviation: that code also
    clamps p at 1e-7 (the authors' in the CE part, the others' in the RCE part), this does not.
    """

    title: ClassVar[str] = "SCE"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "alpha (-log p_y) + beta 9.21 (1 - p_y)"
    source: ClassVar[str] = "Wang et al., ICCV 2019"
    published: ClassVar[Mapping[str, Published]] = dict(
        [
            trained("mnist", EPS, {"alpha": 0.01, "beta": 1.0}),
            trained(
                "cifar10",
                f"{DRAINAGE}, config/cifar10_sce.json",
                {"alpha": 0.1, "beta": 1.0},
                l1=1e-4,
            ),
            trained(
                "cifar100",
                f"{DRAINAGE}, config/cifar100_sce.json",
                {"alpha": 6.0, "beta": 0.1},
                l1=1e-5,
            ),
            trained(
                "mini_webvision",
                f"{DRAINAGE}, config/webvision_sce.json",
                {"alpha": 10.0, "beta": 1.0},
            ),
            trained(
                "clothing1m",
                f"{DRAINAGE}, config/clothing1m_sce.json",
                {"alpha": 5.0, "beta": 1.0},
            ),
        ]
    )

    alpha: float = hyper(0.1, "weight of cross-entropy", "[0, inf)", search=(0.01, 0.1, 1.0, 6.0))
    beta: float = hyper(1.0, "weight of reverse cross-entropy", "[0, inf)", search=(0.1, 1.0))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return alpha CE + beta RCE, (N,)."""
        ce = F.cross_entropy(logits, targets, reduction="none")
        return self.alpha * ce + self.beta * terms.rce(logits, targets)
