"""Accuracy of the class on which it is lowest."""

from __future__ import annotations

from nlbench.benchmark.metrics.metric import Metric, Predictions


def worst_class(predictions: Predictions) -> float:
    """Lowest accuracy among the classes that the test set has."""
    return float(predictions.recalls.min())


METRIC = Metric(
    name="worst_class",
    title="worst-class accuracy",
    unit="%",
    higher_is_better=True,
    bounds=(0.0, 1.0),
    function=worst_class,
)
