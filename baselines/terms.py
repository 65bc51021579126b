"""Losses of one term that several methods add up or normalise, each (N, K), (N,) -> (N,)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nlbench.baselines.log_odds import log_complements, log_odds

# What every public implementation of reverse cross-entropy takes for log 0: the one-hot label is
# clipped at 1e-4. The papers print -4.
LOG_ZERO = math.log(1e-4)


def mae(logits: Tensor, targets: Tensor) -> Tensor:
    """1 - p_t, half the L1 distance between p and the one-hot label; in [0, 1]."""
    return torch.sigmoid(-log_odds(logits, targets))


def rce(logits: Tensor, targets: Tensor) -> Tensor:
    """Reverse cross-entropy -sum_k p_k log y_k with log 0 = log 1e-4: 9.21 (1 - p_t)."""
    return -LOG_ZERO * mae(logits, targets)


def normalised(losses: Tensor, targets: Tensor) -> Tensor:
    """The label's loss over the sum over all classes, l_t / sum_k l_k; (N, K) -> (N,) in [0, 1]."""
    return losses.gather(1, targets[:, None]).squeeze(1) / losses.sum(dim=1)


def nce(logits: Tensor, targets: Tensor) -> Tensor:
    """Normalised cross-entropy, log p_t / sum_k log p_k."""
    return normalised(-torch.log_softmax(logits, dim=1), targets)


def nfl(logits: Tensor, targets: Tensor, gamma: float, legacy: bool) -> Tensor:
    """Normalised focal loss; `legacy` keeps the weights (1 - p_k)^gamma out of the gradient."""
    weights = focal_weights(log_complements(logits), gamma, legacy)
    return normalised(-weights * torch.log_softmax(logits, dim=1), targets)


def nnce(logits: Tensor, targets: Tensor, p_min: float) -> Tensor:
    """Normalised negative cross-entropy, the label's share of A + log p_k taken from 1.

    p is clamped at p_min, which is part of the loss, and A = -log p_min.
    """
    log_p = torch.log_softmax(logits, dim=1).clamp(min=math.log(p_min))
    return 1.0 - normalised(log_p - math.log(p_min), targets)


def nnfl(logits: Tensor, targets: Tensor, gamma: float, p_min: float, legacy: bool) -> Tensor:
    """Normalised negative focal loss: as `nnce`, of A - FL_k with A the focal loss of p_min."""
    log_p_min, rest_min = math.log(p_min), math.log1p(-p_min)
    log_p = torch.log_softmax(logits, dim=1).clamp(min=log_p_min)
    rest = log_complements(logits).clamp(max=rest_min)
    # A - FL_k = w_k log p_k - w_min log p_min, so written that it is exactly 0 where p is clamped.
    above = focal_weights(rest, gamma, legacy) * (log_p - log_p_min)
    change = (1.0 - p_min) ** gamma * torch.expm1(gamma * (rest - rest_min))
    change = change.detach() if legacy else change
    return 1.0 - normalised(above + change * log_p_min, targets)


def focal_weights(log_rest: Tensor, gamma: float, legacy: bool) -> Tensor:
    """(1 - p)^gamma from log(1 - p); without a gradient of its own where `legacy`."""
    weights = torch.exp(gamma * log_rest)
    return weights.detach() if legacy else weights


def agce(logits: Tensor, targets: Tensor, a: float, q: float) -> Tensor:
    """Asymmetric generalised cross-entropy, ((a + 1)^q - (a + p_t)^q) / q."""
    change = torch.log1p(-mae(logits, targets) / (a + 1.0))
    loss: Tensor = -((a + 1.0) ** q / q) * torch.expm1(q * change)
    return loss


def aul(logits: Tensor, targets: Tensor, a: float, q: float) -> Tensor:
    """Asymmetric unhinged loss, ((a - p_t)^q - (a - 1)^q) / q."""
    change = torch.log1p(mae(logits, targets) / (a - 1.0))
    loss: Tensor = ((a - 1.0) ** q / q) * torch.expm1(q * change)
    return loss


def ael(logits: Tensor, targets: Tensor, a: float) -> Tensor:
    """Asymmetric exponential loss, exp(-p_t / a); in [exp(-1/a), 1]."""
    return torch.exp(-torch.sigmoid(log_odds(logits, targets)) / a)


def amse(logits: Tensor, targets: Tensor, a: float) -> Tensor:
    """Asymmetric mean square error, the mean over k of (p_k - a y_k)^2 with y one-hot."""
    p = torch.softmax(logits, dim=1)
    p_t = p.gather(1, targets[:, None]).squeeze(1)
    return (p.square().sum(dim=1) - 2.0 * a * p_t + a * a) / logits.shape[1]
