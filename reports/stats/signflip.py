"""Sign-flip permutation test: the paired t test without the assumption of normality."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EXACT_UP_TO = 18
SAMPLES = 10_000


def sign_flip(differences: Floats, seed: int = 0) -> float:
    """Two-sided p of one comparison, see :func:`sign_flips`."""
    return sign_flips([differences], seed)[0]


def sign_flips(samples: Sequence[Floats], seed: int = 0) -> list[float]:
    r"""Two-sided p of each mean difference when every difference may change its sign.

    p = share of the 2^n sign patterns with \|mean\| at least the observed one (Fisher 1935). All
    patterns up to n = 18; above, 10,000 drawn by an own generator, the observed one counted in
    (so p is never 0, and the same seed gives the same p).

    Args:
        samples: arrays (n,) of paired differences, n >= 1, of any lengths.
        seed: of the drawn patterns; without effect up to n = 18.

    Raises:
        ValueError: no differences.
    """
    p = [0.0] * len(samples)
    large: dict[int, list[int]] = {}
    for i, differences in enumerate(samples):
        if len(differences) == 0:
            raise ValueError("no differences to flip")
        if len(differences) <= EXACT_UP_TO:
            p[i] = _exact(differences)
        else:
            large.setdefault(len(differences), []).append(i)
    for n, members in large.items():
        found = _sampled(np.stack([samples[i] for i in members]), _signs(n, seed))
        for i, value in zip(members, found, strict=True):
            p[i] = value
    return p


def _exact(differences: Floats) -> float:
    # The first sign is fixed: a pattern and its mirror have the same |sum|.
    sums = np.array([differences[0]], dtype=np.float64)
    for value in differences[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return float(np.mean(np.abs(sums) >= _bar(differences)))


def _sampled(table: Floats, signs: Floats) -> list[float]:
    """One p per row of ``table`` (m, n) under the patterns ``signs`` (samples, n)."""
    bars = np.array([_bar(row) for row in table])
    hits = np.count_nonzero(np.abs(signs @ table.T) >= bars, axis=0)
    return [float(p) for p in (hits + 1) / (len(signs) + 1)]


def _bar(differences: Floats) -> float:
    """The observed |sum|, less what rounding may take from an equal one."""
    return abs(float(np.sum(differences))) - 1e-12 * float(np.sum(np.abs(differences)))


@lru_cache(maxsize=4)
def _signs(n: int, seed: int) -> Floats:
    """(SAMPLES, n) of ±1 from an own generator; kept, because a table asks for one n many times."""
    draws = np.random.Generator(np.random.Philox(seed))
    return (2 * draws.integers(0, 2, (SAMPLES, n)) - 1).astype(np.float64)


def smallest_p(n: int) -> float:
    """Return 2 / 2^n, the smallest two-sided p of a sign-flip or signed-rank test of n pairs."""
    return 2.0 ** (1 - n)
