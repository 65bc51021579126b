"""Brier score over all classes (Brier, 1950)."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark.metrics.metric import Metric, Predictions


def brier(predictions: Predictions) -> float:
    """Mean squared distance of the probabilities from the one-hot true label."""
    truth = np.eye(predictions.logits.shape[1])[predictions.labels]
    return float(((predictions.probabilities - truth) ** 2).sum(axis=1).mean())


METRIC = Metric(
    name="brier",
    title="Brier score",
    unit="",
    higher_is_better=False,
    bounds=(0.0, 2.0),
    function=brier,
)
