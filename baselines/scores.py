"""Open-set scores of logits: all are higher where the sample is more likely unknown."""

from __future__ import annotations

import torch
from torch import Tensor


def msp(logits: Tensor) -> Tensor:
    """One minus the maximum softmax probability, s = 1 - max_k p_k.

    Computed as sigmoid(LSE over the other classes - max logit), so that confident samples keep
    their order in float32 instead of all rounding to 0 (which would turn into ties in the AUROC).

    Args:
        logits: (N, K), K >= 2.

    Returns:
        (N,) in [0, 1 - 1/K].

    Source: Hendrycks & Gimpel, ICLR 2017, who use max_k p_k with the sign turned round.
    """
    top, index = logits.max(dim=1)
    others = logits.scatter(1, index[:, None], -torch.inf)
    return torch.sigmoid(torch.logsumexp(others, dim=1) - top)


def max_logit(logits: Tensor) -> Tensor:
    """Negative maximum logit, s = -max_k z_k; (N, K) -> (N,), any real.

    Source: Hendrycks et al., ICML 2022 (arXiv 1911.11132); Vaze et al., ICLR 2022.
    """
    return -logits.amax(dim=1)


def energy(logits: Tensor) -> Tensor:
    """Free energy at temperature 1, s = -log sum_k exp z_k; (N, K) -> (N,), any real.

    Source: Liu et al., NeurIPS 2020, equation 4; they threshold -s.
    """
    return -torch.logsumexp(logits, dim=1)


def entropy(logits: Tensor) -> Tensor:
    """Entropy of the softmax in nats, s = -sum_k p_k log p_k; (N, K) -> (N,) in [0, log K]."""
    terms: Tensor = torch.special.entr(torch.softmax(logits, dim=1))
    return terms.sum(dim=1)
