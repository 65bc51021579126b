"""A measure from outside: what makes one, and its value or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.metrics.metric import Ints, Metric, Predictions
from nlbench.noise import generator
from nlbench.outside import Kind, one_line

OUTSIDE = Kind("metric", "nlbench.metrics", UserError)
# A mean of rounded numbers may exceed a bound in its last digits.
SLACK = 1e-6
LONGEST = 300  # characters of a reason that a record keeps
WANTED = "a Metric(name=..., title=..., ...) of nlbench.benchmark.metrics"


def find(name: str) -> Metric:
    """The measure of a name from outside, called by that name.

    Raises:
        UserError: it cannot be imported, is no Metric, or declares what none can be.
    """
    found = OUTSIDE.load(name)
    if not isinstance(found, Metric):
        raise OUTSIDE.refusal(name, found, WANTED)
    for key, holds, want in (
        ("title", _is_line(found.title), "words on one line"),
        ("unit", found.unit == "" or _is_line(found.unit), 'a text: "%", "nats" or ""'),
        ("higher_is_better", type(found.higher_is_better) is bool, "True or False"),
        ("bounds", _are_bounds(found.bounds), "the smallest and the largest value"),
        ("function", callable(found.function), "a function of Predictions"),
        ("min_classes", type(found.min_classes) is int, "a whole number"),
    ):
        if not holds:
            value = getattr(found, key)
            raise UserError(f"metric {name!r}: {key} = {value!r:.80} should be {want}")
    return replace(found, name=name)


def measured(
    metric: Metric, predictions: Predictions, digits: int | None = None
) -> tuple[float | None, str]:
    """Its value, and why there is none in one line; the other is ``None`` or empty.

    Args:
        metric: one from outside, which may do anything.
        predictions: which it cannot write to, and which keep nothing that it computes from them.
        digits: to round to.
    """
    sealed = Predictions(
        *map(_sealed, (predictions.logits, predictions.labels, predictions.losses))
    )
    try:
        found: Any = metric.function(sealed)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # code of somebody else
        return None, _reason(metric, f"raised {one_line(error)}")
    low, high = metric.bounds
    if isinstance(found, bool) or not isinstance(found, Real):
        return None, _reason(metric, f"returned {_words(found)}; it should return one float")
    value = float(found)
    if not math.isfinite(value):
        return None, _reason(metric, f"returned {value}; it should return a finite number")
    if not low - SLACK <= value <= high + SLACK:
        return None, _reason(metric, f"returned {value:g}, outside its bounds {low:g} to {high:g}")
    return value if digits is None else round(value, digits), ""


def values_of(
    names: Sequence[str], predictions: Predictions, digits: int
) -> tuple[dict[str, float | None], dict[str, str]]:
    """The values of these measures, and for each without one why; both by name."""
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for metric in map(find, names):
        if predictions.logits.shape[1] < metric.min_classes:
            continue
        values[metric.name], reason = measured(metric, predictions, digits)
        if reason:
            reasons[metric.name] = reason
    return values, reasons


def try_out(name: str, labels: Ints, classes: int) -> None:
    """Refuse a measure that has no value for random predictions, before anything is trained.

    Args:
        name: of one from outside.
        labels: of the test set.
        classes: of the data set.

    Raises:
        UserError: see :func:`find`, or what it did wrong.
    """
    metric = find(name)
    if classes >= metric.min_classes:
        _, reason = measured(metric, made_up(labels, classes))
        if reason:
            raise UserError(f"{reason} (tried on random predictions of the test set)")


def made_up(labels: Ints, classes: int, scale: float = 1.0) -> Predictions:
    """Random predictions, the same every time, and their cross entropy."""
    logits = scale * generator("nlbench-metric").standard_normal((len(labels), classes))
    drawn = Predictions(logits, labels, np.zeros(len(labels)))
    return replace(drawn, losses=-drawn.log_probabilities[np.arange(len(labels)), labels])


def _is_line(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and text.isprintable()


def _are_bounds(bounds: object) -> bool:
    if not isinstance(bounds, tuple) or len(bounds) != 2:
        return False
    numbers = all(isinstance(b, Real) and not isinstance(b, bool) for b in bounds)
    return numbers and bool(bounds[0] < bounds[1])  # not so for NaN


def _sealed(values: Any) -> Any:
    """The same numbers, not to be written to."""
    view = values.view()
    view.flags.writeable = False
    return view


def _reason(metric: Metric, problem: str) -> str:
    text = f"metric {metric.name!r} {problem}"
    plain = "".join(c if c.isprintable() else "?" for c in text)  # lone surrogates are no UTF-8
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."


def _words(found: object) -> str:
    shape = getattr(found, "shape", None)
    kind = type(found).__name__
    return kind if shape is None else f"{kind} of shape {tuple(shape)}"
