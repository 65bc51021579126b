"""Metric: one measure of a network's predictions on a test set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Predictions:
    """A network's outputs on a test set, and the true labels.

    Attributes:
        logits: (N, K) outputs of the classes.
        labels: (N,) true labels in [0, K).
        losses: (N,) the method's own loss of the true labels.
    """

    logits: Floats
    labels: Ints
    losses: Floats

    @cached_property
    def log_probabilities(self) -> Floats:
        """(N, K) logarithm of the softmax."""
        shifted = self.logits - self.logits.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))

    @cached_property
    def probabilities(self) -> Floats:
        """(N, K) softmax."""
        return np.exp(self.log_probabilities)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """(N,) whether the class of the largest logit, the first among equals, is the true one."""
        return np.asarray(self.logits.argmax(axis=1) == self.labels)

    @cached_property
    def confidence(self) -> Floats:
        """(N,) probability of the predicted class."""
        return np.asarray(self.probabilities.max(axis=1))

    @cached_property
    def recalls(self) -> Floats:
        """Accuracy within each class that the test set has, by label."""
        counts = np.bincount(self.labels)
        return np.bincount(self.labels, weights=self.correct)[counts > 0] / counts[counts > 0]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A measure: how it is computed, and how tables, figures and comparisons show it.

    Attributes:
        name: in records, suites and CSV columns: the name of its file; of one from outside
            ``module:name``, whatever it calls itself.
        title: in tables and sentences.
        unit: ``%`` for a fraction; else what the number is in, "" for a plain number.
        higher_is_better: its direction.
        bounds: smallest and largest value.
        function: of the predictions.
        min_classes: classes below which it is not informative; it is then left out of the record.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    bounds: tuple[float, float]
    function: Callable[[Predictions], float]
    min_classes: int = 2

    @property
    def shown_in(self) -> str:
        """What reports give it in: hundredths, which of a fraction are percent."""
        return "%" if self.unit == "%" else f"0.01 {self.unit}".strip()

    @property
    def shown_bounds(self) -> tuple[float, float]:
        """The bounds in that."""
        return 100 * self.bounds[0], 100 * self.bounds[1]

    def value(self, predictions: Predictions, digits: int) -> float | None:
        """The measure, rounded for the record; ``None`` where it is not finite."""
        found = float(self.function(predictions))
        return round(found, digits) if math.isfinite(found) else None
