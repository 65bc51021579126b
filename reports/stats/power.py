"""What n seeds can detect: power, minimum detectable effect, seeds needed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, nctdtr, stdtrit


def power(effect: float, n: int, alpha: float = 0.05) -> float:
    """Power of the two-sided paired t test against a true difference of ``effect`` SDs.

    P(|T| > t_{n-1, 1-alpha/2}) with T noncentral t, df = n - 1, ncp = effect * sqrt(n).
    ``scipy.special.nctdtr`` is used because ``scipy.stats.nct`` and power solvers built on it
    return NaN or fail at small n with small alpha.

    Args:
        effect: true mean difference in SDs of the paired difference, >= 0.
        n: pairs, >= 2.
        alpha: level, in (0, 1).

    Raises:
        ValueError: n < 2.
    """
    if n < 2:
        raise ValueError(f"a paired t test needs n >= 2, not {n}")
    critical = float(stdtrit(n - 1, 1 - alpha / 2))
    ncp = effect * np.sqrt(n)
    upper = float(1 - nctdtr(n - 1, ncp, critical))
    lower = float(nctdtr(n - 1, ncp, -critical))
    # The far tail under-runs to NaN from ncp = 3.4 on, where it is below 1e-6.
    return upper if np.isnan(lower) else upper + lower


@lru_cache(maxsize=4096)
def minimum_detectable_effect(n: int, alpha: float = 0.05, target: float = 0.8) -> float | None:
    """Smallest true difference, in SDs of the paired difference, found with power ``target``.

    For a family of m comparisons give alpha / m, Holm's first step.

    Args:
        n: pairs.
        alpha: level the single comparison has to pass.
        target: wanted power.

    Returns:
        The effect, or ``None`` below n = 2.
    """
    if n < 2:
        return None
    high = 1.0
    while power(high, n, alpha) < target:
        high *= 2
    return float(brentq(lambda d: power(d, n, alpha) - target, 0.0, high, xtol=1e-10))


@lru_cache(maxsize=4096)
def seeds_needed(effect: float, alpha: float = 0.05, target: float = 0.8) -> int | None:
    """Smallest n whose paired t test finds a true difference of ``effect`` SDs.

    Args:
        effect: true mean difference in SDs of the paired difference, > 0.
        alpha: level the single comparison has to pass.
        target: wanted power.

    Returns:
        n >= 2, or ``None`` where 100,000 seeds would not do.
    """
    if effect <= 0 or power(effect, 100_000, alpha) < target:
        return None
    low, high = 1, 2
    while power(effect, high, alpha) < target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle, alpha) >= target else (middle, high)
    return high


def sd_interval(sd: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval of a standard deviation of ``n`` normal values, from (n - 1) sd^2 / chi-square."""
    upper_tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = sd * np.sqrt((n - 1) / chdtri(n - 1, upper_tails))
    return float(low), float(high)
