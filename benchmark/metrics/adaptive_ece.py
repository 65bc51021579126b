"""Calibration error with 15 bins of equally many samples (Nguyen & O'Connor, EMNLP 2015)."""

from __future__ import annotations

from nlbench.benchmark.metrics.calibration import calibration_error, equal_mass
from nlbench.benchmark.metrics.metric import Metric, Predictions


def adaptive_ece(predictions: Predictions) -> float:
    """Of the confidence in the predicted class; equal ones stay in file order."""
    return calibration_error(predictions, equal_mass(predictions))


METRIC = Metric(
    name="adaptive_ece",
    title="adaptive calibration error",
    unit="%",
    higher_is_better=False,
    bounds=(0.0, 1.0),
    function=adaptive_ece,
)
