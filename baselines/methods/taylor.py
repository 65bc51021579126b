"""Taylor cross-entropy: the first terms of the series of -log p around p = 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nlbench.baselines import terms
from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method, Published
from nlbench.baselines.registry import register


@register("taylor-ce")
@dataclass(frozen=True, kw_only=True)
class TaylorCE(Method):
    """Taylor cross-entropy, l = sum_{i=1..t} (1 - p_t)^i / i.

    t = 1 is 1 - p_t, t -> inf is cross-entropy. logits (N, K), targets (N,) -> (N,) in
    [0, 1 + 1/2 + ... + 1/t].

    Source: Feng et al., IJCAI 2020. No code of the authors was found; values agree with that of
    Wonglinog/UACE (0b557ca).
    """

    title: ClassVar[str] = "Taylor-CE"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "sum_{i=1..t} (1 - p_y)^i / i"
    source: ClassVar[str] = "Feng et al., IJCAI 2020"
    published: ClassVar[Mapping[str, Published]] = {
        "cifar100": Published(
            params={"t": 6},
            recipe={},
            source="Curriculum Perspective, arXiv 2305.02139, table 5",
        )
    }

    t: int = hyper(
        2,
        "number of terms; 1 is 1 - p_t, many are cross-entropy",
        "[1, 1000]",
        search=(1, 2, 4, 6, 10),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return sum_{i=1..t} (1 - p_t)^i / i, (N,)."""
        rest = terms.mae(logits, targets)
        total = torch.zeros_like(rest)
        for i in range(self.t, 0, -1):  # Horner's scheme
            total = rest * (1.0 / i + total)
        return total
