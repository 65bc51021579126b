"""Holm's step-down correction over a family that was declared before looking."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests

Floats = NDArray[np.float64]


def holm(p: Floats) -> Floats:
    """Return p_adj(i) = max over j <= i of min(1, (m - j + 1) p_(j)), m = len(p) (Holm 1979).

    Args:
        p: (m,) p-values of the whole declared family, NaN where a comparison could not be made.
            It still counts in m (as p = 1), so that a family does not shrink, and its verdicts do
            not get easier, because runs are missing.

    Returns:
        (m,) adjusted p-values, NaN where p is NaN.
    """
    known = ~np.isnan(p)
    if not known.any():
        return np.full(len(p), np.nan)
    adjusted = multipletests(np.where(known, p, 1.0), method="holm")[1]
    return np.where(known, adjusted, np.nan)
