"""Performance profile: for every accuracy, the share of runs that reach it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def performance_profile(strata: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Share of runs with at least so much accuracy, every stratum with the same weight.

    Args:
        strata: the runs' values, one vector per condition; none is empty.

    Returns:
        (n,) all values, ascending, and (n + 1,) the shares in [0, 1]: the first up to and including
        the lowest value, the i-th above value i - 1 and up to value i, the last above them all.

    Source: Dolan & More 2002; Agarwal et al., NeurIPS 2021 (score distributions), whose strata are
    tasks.
    """
    values = np.concatenate(strata)
    weights = np.concatenate([np.full(len(runs), 1 / len(runs)) for runs in strata])
    order = np.argsort(values, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    return values[order], 1 - below / len(strata)
