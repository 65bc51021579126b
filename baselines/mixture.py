"""Mixture of two normal distributions on a line, fitted to losses: the small ones are clean."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# As released code has them: rounds of expectation and maximisation, the change of the mean
# log-likelihood below which they end, and what is added to variances.
ROUNDS, TOLERANCE, FLOOR = 10, 1e-2, 5e-4


def scaled(losses: Tensor) -> Tensor:
    """Return the losses moved to [0, 1]; all 0 where they are equal."""
    low, high = losses.min(), losses.max()
    return (losses - low) / (high - low).clamp(min=torch.finfo(losses.dtype).tiny)


def small_ones(values: Tensor) -> Tensor:
    """Return the probability of each value to be of the component with the smaller mean.

    Args:
        values: (n,).

    Returns:
        (n,) in the type and on the device of the values. Nothing is drawn: the fit starts from the
        two clusters that k-means finds from the smallest and the largest value.
    """
    x = values.double().cpu()[:, None]
    shares = _clusters(x)
    before = -math.inf
    parameters = _fitted(x, shares)
    for _ in range(ROUNDS):
        joint = _log_joint(x, *parameters)
        likelihood = joint.logsumexp(dim=1)
        parameters = _fitted(x, (joint - likelihood[:, None]).exp())
        now = float(likelihood.mean())
        if abs(now - before) < TOLERANCE:
            break
        before = now
    posterior = _log_joint(x, *parameters).softmax(dim=1)
    return posterior[:, parameters[1].argmin()].to(values.device, values.dtype)


def _clusters(x: Tensor) -> Tensor:
    """Two-means: (n, 2), one-hot."""
    centres = torch.stack([x.min(), x.max()])
    while True:
        second = ((x - centres) ** 2).argmin(dim=1)
        shares = torch.nn.functional.one_hot(second, 2).double()
        moved = (shares * x).sum(dim=0) / shares.sum(dim=0).clamp(min=1.0)
        if torch.equal(moved, centres):
            return shares
        centres = moved


def _fitted(x: Tensor, shares: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, means and variances of the two components."""
    counts = shares.sum(dim=0) + 10 * torch.finfo(torch.float64).eps
    means = (shares * x).sum(dim=0) / counts
    variances = (shares * (x - means) ** 2).sum(dim=0) / counts + FLOOR
    return counts / counts.sum(), means, variances


def _log_joint(x: Tensor, weights: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    """Log of weight times density, (n, 2)."""
    square = (x - means) ** 2 / variances
    return weights.log() - 0.5 * (square + variances.log() + math.log(2.0 * math.pi))
