"""Bi-tempered logistic loss: a bounded logarithm of a heavy-tailed softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method
from nlbench.baselines.registry import register

# Newton steps for the normaliser. It rises to the root from the left, quadratically at the end: 7
# were enough for float64 with 2 to 1000 classes, t2 up to 10 and logits up to 1e4.
_STEPS = 8


def tempered_log_softmax(logits: Tensor, t2: float) -> Tensor:
    """Logarithm of the tempered softmax, p_k = (1 + (t2 - 1)(c - z_k))^(-1 / (t2 - 1)).

    c is the constant with sum_k p_k = 1; t2 = 1 is the softmax, t2 > 1 has heavier tails.

    Args:
        logits: (N, K) float32 or float64.
        t2: >= 1.

    Returns:
        (N, K), with the derivative of c by the implicit function theorem.

    Source: Amid et al., NeurIPS 2019, whose code takes 5 steps of a fixed-point iteration (not yet
    at the root); here Newton steps on S^(1 - t2) = 1 with S = sum_k p_k, which is concave in c.
    """
    if t2 == 1.0:
        return torch.log_softmax(logits, dim=1)
    shifted = logits - logits.amax(dim=1, keepdim=True)
    fixed = shifted.detach()
    c = torch.zeros_like(fixed[:, :1])
    for _ in range(_STEPS):
        c = c + _newton_step(fixed, c, t2)
    # At the root a step is 0, and its derivative by the logits is that of c.
    return _log_p(shifted, c + _newton_step(shifted, c, t2), t2)


def _log_p(shifted: Tensor, c: Tensor, t2: float) -> Tensor:
    return -torch.log1p((t2 - 1.0) * (c - shifted)) / (t2 - 1.0)


def _newton_step(shifted: Tensor, c: Tensor, t2: float) -> Tensor:
    """Return (S^t2 - S) / ((t2 - 1) sum_k p_k^t2), (N, 1); log S as t2 -> 1."""
    log_p = _log_p(shifted, c, t2)
    log_s = torch.logsumexp(log_p, dim=1, keepdim=True)
    slope = torch.logsumexp(t2 * log_p, dim=1, keepdim=True)
    return torch.exp(log_s - slope) * torch.expm1((t2 - 1.0) * log_s) / (t2 - 1.0)


@register("bi-tempered")
@dataclass(frozen=True, kw_only=True)
class BiTempered(Method):
    """Bi-tempered loss, l = (1 - p_t^(1-t1)) / (1 - t1) - (1 - sum_k p_k^(2-t1)) / (2 - t1).

    p is the tempered softmax of temperature t2, see `tempered_log_softmax`. t1 = t2 = 1 is
    cross-entropy; t1 < 1 bounds the loss. logits (N, K), targets (N,) -> (N,) in
    [0, 1 / (1 - t1)].

    Source: Amid et al., NeurIPS 2019; github.com/google/bi-tempered-loss (1c65c77). Defaults are
    those of the code's examples; temperatures by data set are not verified. Deviation: the
    normaliser is exact here, there the probabilities need not sum to 1.
    """

    title: ClassVar[str] = "Bi-tempered"
    family: ClassVar[str] = "bounded"
    formula: ClassVar[str] = (
        "(1 - p_y^(1-t1)) / (1 - t1) - (1 - sum_k p_k^(2-t1)) / (2 - t1), p of temperature t2"
    )
    source: ClassVar[str] = "Amid et al., NeurIPS 2019"

    t1: float = hyper(
        0.8,
        "temperature of the logarithm; below 1 the loss is bounded",
        "[0, 1]",
        search=(0.2, 0.5, 0.8, 0.9),
    )
    t2: float = hyper(
        1.2,
        "temperature of the softmax; above 1 its tail is heavy",
        "[1, 10]",
        search=(1.0, 1.2, 2.0, 4.0),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the bi-tempered loss, (N,)."""
        log_p = tempered_log_softmax(logits, self.t2)
        log_t = log_p.gather(1, targets[:, None]).squeeze(1)
        above = 2.0 - self.t1
        rest = -torch.expm1(torch.logsumexp(above * log_p, dim=1)) / above
        if self.t1 == 1.0:
            return -log_t - rest
        return -torch.expm1((1.0 - self.t1) * log_t) / (1.0 - self.t1) - rest
