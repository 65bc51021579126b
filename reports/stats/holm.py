"""Holm's step-down correction over a family that was declared before looking."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p: Floats) -> Floats:
    """Return p_adj(i) = max over j <= i of min(1, (m - j + 1) p_(j)), m = len(p) (Holm 1979).

    The same as ``statsmodels.stats.multitest.multipletests(p, method="holm")`` (a test holds it),
    which collects garbage at every call: 0.1 s a family, more with many records in memory.

    Args:
        p: (m,) p-values of the whole declared family, NaN where a comparison could not be made.
            It still counts in m (as p = 1), so that a family does not shrink, and its verdicts do
            not get easier, because runs are missing.

    Returns:
        (m,) adjusted p-values, NaN where p is NaN.
    """
    known = ~np.isnan(p)
    filled = np.where(known, p, 1.0)
    order = np.argsort(filled, kind="stable")
    steps = np.minimum(filled[order] * np.arange(len(p), 0, -1), 1.0)
    adjusted = np.empty(len(p), dtype=np.float64)
    adjusted[order] = np.maximum.accumulate(steps)
    return np.where(known, adjusted, np.nan)


def holm_known(p: Sequence[float | None]) -> list[float | None]:
    """:func:`holm` of a family in which ``None`` is a comparison that could not be made."""
    adjusted = holm(np.array([np.nan if one is None else one for one in p], dtype=np.float64))
    return [None if np.isnan(one) else float(one) for one in adjusted]
