"""Measures of a trained network besides its accuracy, one file each.

A file NAME.py that holds ``METRIC = Metric(name="NAME", ...)`` is a measure of predictions on the
test set: every record has it from then on, and reports show it where a suite asks for it.
``open_set``, ``label_errors`` and ``roc`` are evaluations of other kinds.
"""

from __future__ import annotations

import importlib
import pkgutil

from nlbench.benchmark.errors import unknown
from nlbench.benchmark.metrics.metric import Metric, Predictions

__all__ = ["Metric", "Predictions", "every", "get"]


def every() -> tuple[Metric, ...]:
    """The measures of this folder, by name."""
    files = pkgutil.iter_modules(__path__, f"{__name__}.")
    found = (getattr(importlib.import_module(file.name), "METRIC", None) for file in files)
    return tuple(sorted((m for m in found if m is not None), key=lambda metric: metric.name))


def get(name: str, where: str = "") -> Metric:
    """The measure of this name; UserError, which names ``where``, if there is none."""
    known = {metric.name: metric for metric in every()}
    if name not in known:
        raise unknown("metric", name, known, where)
    return known[name]
