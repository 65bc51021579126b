"""Template: the loss of each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from nlbench.baselines import Method, hyper


@dataclass(frozen=True, kw_only=True)
class Template(Method):
    """Cross-entropy with a temperature."""

    title: ClassVar[str] = "Template"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = "-log p_y, p = softmax(z / t)"
    source: ClassVar[str] = "a template"

    temperature: float = hyper(2.0, "divides the logits", "(0, inf)", search=(1.0, 2.0, 4.0))

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sample, (N,), of logits (N, K) and labels (N,)."""
        return F.cross_entropy(logits / self.temperature, targets, reduction="none")
