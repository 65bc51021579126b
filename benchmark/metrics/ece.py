"""Expected calibration error with 15 bins of equal width (Guo et al., ICML 2017)."""

from __future__ import annotations

from nlbench.benchmark.metrics.calibration import calibration_error, equal_width
from nlbench.benchmark.metrics.metric import Metric, Predictions


def ece(predictions: Predictions) -> float:
    """Of the confidence in the predicted class."""
    return calibration_error(predictions, equal_width(predictions))


METRIC = Metric(
    name="ece",
    title="expected calibration error",
    unit="%",
    higher_is_better=False,
    bounds=(0.0, 1.0),
    function=ece,
)
