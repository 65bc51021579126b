"""Practical equivalence: posteriors of a difference against a region declared beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

Floats = NDArray[np.float64]
SAMPLES = 10_000
PRIOR_STRENGTH = 0.6


@dataclass(frozen=True)
class Rope:
    """Probabilities that add up to 1: clearly worse, practically equal, clearly better."""

    worse: float
    equal: float
    better: float


def student_rope(differences: Floats, rope: float) -> Rope | None:
    """Posterior of the mean paired difference: t_{n-1} at the mean with scale sd / sqrt(n).

    The flat-prior posterior of replicates that are independent (seeds are; the folds of a
    cross-validation, for which baycomp's ``two_on_single`` widens it, are not).

    Args:
        differences: (n,) paired differences in points.
        rope: half width of the region of practical equivalence in points, >= 0.

    Returns:
        The probabilities, ``None`` below n = 2 or without any spread.
    """
    n = len(differences)
    if n < 2 or float(np.ptp(differences)) <= 1e-9:
        return None
    mean = float(np.mean(differences))
    scale = float(np.std(differences, ddof=1)) / np.sqrt(n)
    worse = float(stdtr(n - 1, (-rope - mean) / scale))
    better = float(stdtr(n - 1, (mean - rope) / scale))
    return Rope(worse, max(0.0, 1 - worse - better), better)


def signed_rank_rope(differences: Floats, rope: float, seed: int = 0) -> Rope | None:
    """Bayesian signed-rank test over conditions (Benavoli et al., JMLR 18(77), 2017).

    Weights of the conditions are Dirichlet(0.6, 1, ..., 1), the first for a pseudo-observation at
    0; each draw compares the weighted share of pairs with z_i + z_j below, inside and above
    2 rope. Below about ten conditions the pseudo-observation weighs too much.

    Args:
        differences: (m,) differences of condition means in points.
        rope: half width in points.
        seed: of the own generator.

    Returns:
        Shares of draws in which worse, equal or better has most weight; ``None`` for m = 0.
    """
    if len(differences) == 0:
        return None
    z = np.concatenate([[0.0], differences])
    sums = z[:, np.newaxis] + z
    above, below = sums > 2 * rope, sums < -2 * rope
    draws = np.random.Generator(np.random.Philox(seed))
    weights = draws.dirichlet(np.r_[PRIOR_STRENGTH, np.ones(len(differences))], SAMPLES)
    better = ((weights @ above.astype(np.float64)) * weights).sum(axis=1)
    worse = ((weights @ below.astype(np.float64)) * weights).sum(axis=1)
    equal = 1 - better - worse
    most = np.argmax([worse, equal, better], axis=0)
    shares = np.bincount(most, minlength=3) / SAMPLES
    return Rope(*(float(share) for share in shares))
