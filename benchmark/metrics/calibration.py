"""How far confidence is from accuracy, bin by bin."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nlbench.benchmark.metrics.metric import Ints, Predictions

BINS = 15


def calibration_error(predictions: Predictions, bins: Iterable[Ints]) -> float:
    """Mean over the samples of |accuracy - mean confidence| of their bin.

    Args:
        predictions: of the test set.
        bins: the samples of each bin; an empty one counts nothing.
    """
    gaps = predictions.confidence - predictions.correct
    return float(sum(abs(gaps[samples].sum()) for samples in bins)) / len(gaps)


def equal_width(predictions: Predictions) -> list[Ints]:
    """Samples by confidence in ((k - 1) / BINS, k / BINS]."""
    edges = np.linspace(0, 1, BINS + 1)[1:-1]
    places = np.searchsorted(edges, predictions.confidence, side="left")
    return [np.flatnonzero(places == k) for k in range(BINS)]


def equal_mass(predictions: Predictions) -> list[Ints]:
    """Samples sorted by confidence and cut into BINS parts whose sizes differ by one at most."""
    order = np.argsort(predictions.confidence, kind="stable")
    return [part.astype(np.int64) for part in np.array_split(order, BINS)]
