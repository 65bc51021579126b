"""Negative log-likelihood of the true labels."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark.metrics.metric import Metric, Predictions


def nll(predictions: Predictions) -> float:
    """Mean of -log p of the true class."""
    labels = predictions.labels[:, None]
    return float(-np.take_along_axis(predictions.log_probabilities, labels, axis=1).mean())


METRIC = Metric(
    name="nll",
    title="negative log-likelihood",
    unit="nats",
    higher_is_better=False,
    bounds=(0.0, np.inf),
    function=nll,
)
