"""Balanced accuracy: every class counts alike, however many test images it has."""

from __future__ import annotations

from nlbench.benchmark.metrics.metric import Metric, Predictions


def balanced_accuracy(predictions: Predictions) -> float:
    """Mean accuracy over the classes that the test set has."""
    return float(predictions.recalls.mean())


METRIC = Metric(
    name="balanced_accuracy",
    title="balanced accuracy",
    unit="%",
    higher_is_better=True,
    bounds=(0.0, 1.0),
    function=balanced_accuracy,
)
