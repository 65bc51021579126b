"""Correlation of two methods over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def residual_correlation(pairs: Sequence[tuple[Floats, Floats]]) -> float | None:
    """Pearson correlation of two methods' seed residuals, pooled within conditions.

    Each pair is one condition: values of both methods over the same seeds, from which the
    condition's means are taken off first; so a difference between conditions is not mistaken for
    a shared effect of the seed. Pairing gains power as far as this is above 0.

    Args:
        pairs: per condition two arrays (n,), same seeds.

    Returns:
        The correlation in [-1, 1]; ``None`` without three points or without any spread.
    """
    kept = [(a - a.mean(), b - b.mean()) for a, b in pairs if len(a) > 1]
    if not kept:
        return None
    a = np.concatenate([x for x, _ in kept])
    b = np.concatenate([y for _, y in kept])
    scale = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    if len(a) < 3 or scale < 1e-12:
        return None
    return float(np.clip(np.sum(a * b) / scale, -1.0, 1.0))
