"""Moderated standard deviations: those of many pairs, each shrunk towards what they share.

With few seeds a pair's own standard deviation is poorly known, and a lucky small one makes a large
t. Smyth's empirical Bayes model takes the true variances as draws from a scaled inverse chi-square
distribution, estimates it from all pairs, and uses the posterior mean of each variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

Floats = NDArray[np.float64]
# Variances below this share of their median are raised to it before their logarithm is taken.
_LOWEST = 1e-5
_NEWTON_STEPS = 30


@dataclass(frozen=True)
class Prior:
    """What the variances share; arrays with an entry per table of a batch.

    Attributes:
        degrees: d0, degrees of freedom that the shared variance is worth; ``inf`` where the
            variances differ no more than samples of one variance would.
        variance: s0^2, the shared variance; NaN where it cannot be estimated.
    """

    degrees: Floats
    variance: Floats

    def moderate(self, variances: Floats, degrees: Floats) -> tuple[Floats, Floats]:
        """Shrink: s~^2 = (d0 s0^2 + d s^2) / (d0 + d), on d0 + d degrees of freedom.

        Args:
            variances: (..., pairs) sample variances s^2.
            degrees: (..., pairs) their degrees of freedom d.
        """
        d0, s0 = self.degrees[..., np.newaxis], self.variance[..., np.newaxis]
        # The weight d / (d0 + d) is 0 for an infinite d0.
        own = degrees / (d0 + degrees)
        return s0 + own * (variances - s0), d0 + degrees


def prior(variances: Floats, degrees: Floats) -> Prior:
    """Estimate d0 and s0^2 from sample variances by the moments of their logarithms.

    With e = log s^2 - digamma(d / 2) + log(d / 2), the mean of e estimates log s0^2
    - digamma(d0 / 2) + log(d0 / 2), and its variance less the mean of trigamma(d / 2) estimates
    trigamma(d0 / 2). Where that is not above 0, d0 is infinite and s0^2 the pooled variance.

    Args:
        variances: (..., pairs) sample variances, NaN for a pair without one.
        degrees: (..., pairs) their degrees of freedom, >= 1 where there is a variance.

    Source: Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3(1), 3, section
    6.2; the same as limma's ``fitFDist`` without a trend.
    """
    there = ~np.isnan(variances) & (degrees >= 1)
    count = there.sum(axis=-1)
    with np.errstate(all="ignore"):
        middle = np.nanmedian(np.where(there, variances, np.nan), axis=-1, keepdims=True)
        usable = (count >= 2) & (middle[..., 0] > 0)
        safe = np.where(there, np.maximum(variances, _LOWEST * middle), 1.0)
        half = np.where(there, degrees, 2.0) / 2
        logs = np.where(there, np.log(safe) - digamma(half) + np.log(half), 0.0)
        mean = logs.sum(axis=-1) / count
        squares = np.where(there, (logs - mean[..., np.newaxis]) ** 2, 0.0).sum(axis=-1)
        noise = np.where(there, polygamma(1, half), 0.0).sum(axis=-1) / count
        excess = squares / (count - 1) - noise
        d0 = np.where(excess > 0, 2 * trigamma_inverse(np.where(excess > 0, excess, 1.0)), np.inf)
        scale = np.exp(mean + digamma(d0 / 2) - np.log(d0 / 2))
        weights = np.where(there, degrees, 0.0)
        pooled = (weights * np.where(there, variances, 0.0)).sum(axis=-1) / weights.sum(axis=-1)
        s0 = np.where(np.isinf(d0), pooled, scale)
    return Prior(np.where(usable, d0, 0.0), np.where(usable, s0, np.nan))


def trigamma_inverse(values: Floats) -> Floats:
    """Return x with trigamma(x) = value > 0, by Newton's method on 1 / trigamma, which is convex.

    Source: Smyth 2004, appendix.
    """
    x = 0.5 + 1 / values
    for _ in range(_NEWTON_STEPS):
        at = polygamma(1, x)
        x = x + at * (1 - at / values) / polygamma(2, x)
    return np.asarray(x, dtype=np.float64)
