"""The normal distribution truncated to [0, 1]: quantiles, mean, and the mean it must start from."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr, ndtri_exp

Floats = NDArray[np.float64]

SIGMA = 0.1
"""Standard deviation of the flip rates in Xia et al. 2020."""


def quantile(uniform: Floats, centre: float) -> Floats:
    """Return quantiles of N(centre, 0.1^2) truncated to [0, 1]; increasing in both arguments.

    Works on the logarithm of the smaller tail, so that it holds for a centre far outside [0, 1].
    """
    if centre > 0.5:
        return 1.0 - _upper_tail(1.0 - uniform, 1.0 - centre)
    return _upper_tail(uniform, centre)


def _upper_tail(uniform: Floats, centre: float) -> Floats:
    a, b = -centre / SIGMA, (1.0 - centre) / SIGMA
    gap = math.exp(float(log_ndtr(-b)) - float(log_ndtr(-a)))
    with np.errstate(divide="ignore"):  # log 0 = -inf at uniform = 1 is the bound itself
        tail = float(log_ndtr(-a)) + np.log((1.0 - uniform) + uniform * gap)
    result: Floats = np.clip(centre - SIGMA * ndtri_exp(tail), 0.0, 1.0)
    return result


def mean(centre: float) -> float:
    """Return the mean of N(centre, 0.1^2) truncated to [0, 1] (closed form)."""
    if centre > 0.5:
        return 1.0 - mean(1.0 - centre)
    a, b = -centre / SIGMA, (1.0 - centre) / SIGMA
    gap = math.exp(float(log_ndtr(-b)) - float(log_ndtr(-a)))
    # phi(a) / Q(a) by the scaled complementary error function: both underflow for a far centre
    hazard = math.sqrt(2.0 / math.pi) / float(erfcx(a / math.sqrt(2.0)))
    return centre + SIGMA * hazard * (1.0 - math.exp((a * a - b * b) / 2)) / (1.0 - gap)


def centre_for_mean(rate: float) -> float:
    """Return the centre whose truncated mean is ``rate`` in [0.001, 0.999]."""
    if rate > 0.5:
        return 1.0 - centre_for_mean(1.0 - rate)
    # Far below 0 the law is nearly exponential with mean sigma^2 / |centre|.
    low, high = -2.0 * SIGMA * SIGMA / rate - 1.0, 0.6
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if mean(middle) < rate else (low, middle)
    return high
