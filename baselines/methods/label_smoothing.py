"""Label smoothing and its negative form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from nlbench.baselines.hyper import hyper
from nlbench.baselines.method import Method
from nlbench.baselines.registry import register


@register("ls")
@dataclass(frozen=True, kw_only=True)
class LabelSmoothing(Method):
    """Label smoothing, l = (1 - r)(-log p_t) + r mean_k(-log p_k) with p = softmax(z).

    Cross-entropy to the label mixed with the uniform distribution; r = 0 is cross-entropy.
    logits (N, K), targets (N,) -> (N,) in [0, inf).

    Source: Szegedy et al., CVPR 2016; for label noise Lukasik et al., ICML 2020. r = 0.1 is the
    former's.
    """

    title: ClassVar[str] = "LS"
    family: ClassVar[str] = "cross-entropy"
    formula: ClassVar[str] = "(1 - r)(-log p_y) + r mean_k(-log p_k), r >= 0"
    source: ClassVar[str] = "Szegedy et al., CVPR 2016; Lukasik et al., ICML 2020"

    r: float = hyper(
        0.1,
        "share of the uniform distribution in the label",
        "[0, 1]",
        search=(0.05, 0.1, 0.2, 0.4, 0.6),
    )

    def per_sample(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return (1 - r)(-log p_t) + r mean_k(-log p_k), (N,)."""
        minus_log_p = -torch.log_softmax(logits, dim=1)
        of_label = minus_log_p.gather(1, targets[:, None]).squeeze(1)
        return (1.0 - self.r) * of_label + self.r * minus_log_p.mean(dim=1)


@register("nls")
@dataclass(frozen=True, kw_only=True)
class NegativeLabelSmoothing(LabelSmoothing):
    """Negative label smoothing, l = (1 - r)(-log p_t) + r mean_k(-log p_k) with r < 0.

    Takes the classes' mean loss away and adds it to the label's: unbounded below, the more so the
    more classes have a small p_k. r = 0 is cross-entropy. logits (N, K), targets (N,) -> (N,), any
    real.

    Source: Wei et al., ICML 2022; r = -0.2 as in the reproduction of KlemenVovk/noisy-labels, the
    authors' code (github.com/UCSC-REAL/negative-label-smoothing, 05078f6) tries 0.8 to -8.
    """

    title: ClassVar[str] = "NLS"
    family: ClassVar[str] = "cross-entropy"
    formula: ClassVar[str] = "(1 - r)(-log p_y) + r mean_k(-log p_k), r < 0"
    source: ClassVar[str] = "Wei et al., ICML 2022"

    r: float = hyper(-0.2, "smoothing rate, negative", "[-100, 0]", search=(-2.0, -1.0, -0.4, -0.2))
