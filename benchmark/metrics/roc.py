"""Areas and curves of a score that should be high where something holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
# False-positive rates at which curves are kept: enough for a figure, small enough for a record.
GRID = np.linspace(0, 1, 101)
DIGITS = 6


def auroc(scores: Scores, positive: Mask) -> float | None:
    """Area under the ROC curve: how often a positive scores above a negative, ties counting half.

    The Mann-Whitney statistic from SciPy's ranks, which is the area under scikit-learn's curve.

    Returns:
        In [0, 1]; ``None`` if there is no positive or no negative.
    """
    from scipy.stats import rankdata  # here: a command that trains nothing does not wait for it

    some, others = int(positive.sum()), int((~positive).sum())
    if not some or not others:
        return None
    ranks = float(rankdata(scores)[positive].sum())
    return (ranks - some * (some + 1) / 2) / (some * others)


def roc_on_grid(scores: Scores, positive: Mask, weights: Scores | None = None) -> list[float]:
    """True-positive rate at the false-positive rates of :data:`GRID`, rounded for the record."""
    from sklearn.metrics import roc_curve

    fpr, tpr, _ = roc_curve(positive, scores, sample_weight=weights, drop_intermediate=False)
    return rounded(np.interp(GRID, fpr, tpr))


def rounded(values: Any) -> list[float]:
    """Plain numbers with :data:`DIGITS` decimals."""
    return [round(float(v), DIGITS) for v in values]
