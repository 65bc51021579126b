"""Open drainage: the drainage logit is a constant, disconnected from the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Published, Scalar
from nlbench.baselines.methods.drainage import Drainage, drainage_loss
from nlbench.baselines.registry import register


@register("drainage-constant")
@dataclass(frozen=True, kw_only=True)
class DrainageConstant(Drainage):
    """Drainage loss with the same drainage logit c for every sample: see `drainage_loss`.

    The K class logits compete with c, so their size has a meaning and a sample none of whose logits
    reaches c is called unknown. logits (N, K), targets (N,) in [0, K) -> (N,) in [0, inf).

    The probability of the extra output, also the open-set score `drainage`, is p_d =
    sigmoid(c - LSE(z)): a rising function of the energy score, so both order samples alike.
    beta = 1/alpha unless it is set.

    Source: Taha et al., arXiv 2512.03182, open-set recognition, where the drainage logit is "a
    constant". Its value, alpha and beta are not released: 0, 1 and 1 are ours.
    """

    title: ClassVar[str] = "Drainage (constant)"
    family: ClassVar[str] = "extra-output"
    formula: ClassVar[str] = "Drainage with z_d = constant"
    source: ClassVar[str] = "Taha et al., CVPR 2026 (arXiv 2512.03182), open-set variant"
    extra_outputs: ClassVar[int] = 0
    shift_invariant: ClassVar[bool] = False
    published: ClassVar[Mapping[str, Published]] = {}

    constant: float = hyper(
        0.0, "the drainage logit c of every sample", "(-inf, inf)", search=(-2.0, 0.0, 2.0)
    )

    def params(self) -> dict[str, Scalar]:
        """Return alpha, the beta in use and the constant."""
        return {**super().params(), "constant": self.constant}

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the drainage loss, (N,)."""
        drainage_logit = torch.full_like(logits[:, 0], self.constant)
        return drainage_loss(logits, drainage_logit, targets, self.alpha, self.effective_beta)

    def extra_output_probability(self, logits: Tensor) -> Tensor:
        """Return p_d of the K class logits and the constant, (N,) in [0, 1]."""
        full = torch.float64 if logits.dtype == torch.float64 else torch.float32
        return torch.sigmoid(self.constant - torch.logsumexp(logits.to(full), dim=1))

    def rejects(self, logits: Tensor) -> Tensor:
        """Return where no logit reaches the constant, max z < c, (N,) bool: the paper's rule."""
        return logits.amax(dim=1) < self.constant
