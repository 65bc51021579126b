"""Template: a measure of a network's predictions on the test set."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark.metrics import Metric, Predictions


def measured(predictions: Predictions) -> float:
    """Return the share of images whose true class is among the two most probable.

    There are ``logits`` and ``probabilities`` (N, K), true ``labels`` (N,), the method's own
    ``losses`` (N,) of them, ``correct`` and ``confidence`` (N,); they are not to be written to.
    """
    order = np.argsort(-predictions.logits, axis=1, kind="stable")[:, :2]
    return float((order == predictions.labels[:, None]).any(axis=1).mean())


TEMPLATE = Metric(
    name="template",
    title="template: true class among the first two",  # in tables
    unit="%",  # of a fraction; "" for a plain number
    higher_is_better=True,
    bounds=(0.0, 1.0),
    function=measured,
    min_classes=3,  # below, it shows nothing and is left out
)
