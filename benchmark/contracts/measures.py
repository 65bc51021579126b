"""The contract of a metric: one number within its bounds for whatever a network may put out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nlbench.benchmark import metrics
from nlbench.benchmark.metrics import Metric, Predictions
from nlbench.benchmark.metrics.outside import made_up, measured

SAMPLES = 120
# Of logits: nothing learned, a usual network, and one whose probabilities are 0 and 1 in float64.
SCALES = (0.0, 1.0, 1000.0)


def bounded(name: str) -> str:
    """It is one finite number within its bounds."""
    metric = metrics.get(name)
    for case, predictions in _cases(metric):
        _, reason = measured(metric, predictions)
        if reason:
            return f"{case}: {reason}"
    return ""


def kept(name: str) -> str:
    """The predictions it is given are not written to."""
    metric = metrics.get(name)
    given = _random(_classes(metric)[-1])
    mine = Predictions(given.logits.copy(), given.labels.copy(), given.losses.copy())
    metric.function(mine)
    for part in ("logits", "labels", "losses"):
        if not np.array_equal(getattr(mine, part), getattr(given, part)):
            return f"it writes into {part}: change a copy"
    return ""


def repeated(name: str) -> str:
    """The same predictions give the same number."""
    metric = metrics.get(name)
    one, two = (measured(metric, _random(_classes(metric)[-1]))[0] for _ in range(2))
    return "" if one == two else f"{one} and {two}: it draws random numbers of its own"


def directed(name: str) -> str:
    """Right predictions are no worse than wrong ones, by the direction that it declares."""
    metric = metrics.get(name)
    right, wrong = (_sure(_classes(metric)[-1], correct) for correct in (True, False))
    (best, reason), (worst, other) = measured(metric, right), measured(metric, wrong)
    if best is None or worst is None:
        return reason or other
    if best == worst or (best > worst) is metric.higher_is_better:
        return ""
    declared = f"higher_is_better = {metric.higher_is_better}"
    return f"it is {best:g} if all is right and {worst:g} if all is wrong, but {declared}"


CHECKS = (bounded, kept, repeated, directed)


def _classes(metric: Metric) -> tuple[int, ...]:
    """The fewest it is for, and more."""
    return max(metric.min_classes, 2), max(metric.min_classes, 10)


def _cases(metric: Metric) -> Iterator[tuple[str, Predictions]]:
    for classes in _classes(metric):
        for scale in SCALES:
            yield f"{classes} classes, logits of about {scale:g}", _random(classes, scale)
        for correct, word in ((True, "right"), (False, "wrong")):
            yield f"{classes} classes, all predictions {word}", _sure(classes, correct)


def _random(classes: int, scale: float = 1.0) -> Predictions:
    return made_up(np.arange(SAMPLES, dtype=np.int64) % classes, classes, scale)


def _sure(classes: int, correct: bool) -> Predictions:
    """Every class predicted equally often and equally surely."""
    labels = np.arange(SAMPLES, dtype=np.int64) % classes
    logits = 8 * np.eye(classes)[labels if correct else (labels + 1) % classes]
    made = Predictions(logits, labels, np.zeros(SAMPLES))
    return replace(made, losses=-made.log_probabilities[np.arange(SAMPLES), labels])
