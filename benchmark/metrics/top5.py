"""Top-5 accuracy, for data sets of more than 20 classes."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark.metrics.metric import Metric, Predictions


def top5(predictions: Predictions) -> float:
    """Share of samples whose true class is among the five largest logits; ties by class."""
    order = np.argsort(-predictions.logits, axis=1, kind="stable")[:, :5]
    return float((order == predictions.labels[:, None]).any(axis=1).mean())


METRIC = Metric(
    name="top5",
    title="top-5 accuracy",
    unit="%",
    higher_is_better=True,
    bounds=(0.0, 1.0),
    function=top5,
    min_classes=21,
)
