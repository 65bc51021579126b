"""Measures of a trained network besides its accuracy, one file each.

A file NAME.py that holds ``METRIC = Metric(name="NAME", ...)`` is a measure of predictions on the
test set: every record has it from then on, and reports show it where a suite asks for it. One from
outside, ``module:name``, is taken in the runs of the suites that ask for it.
``open_set``, ``label_errors`` and ``roc`` are evaluations of other kinds.
"""

from __future__ import annotations

import importlib
import pkgutil

from nlbench.benchmark.errors import unknown
from nlbench.benchmark.metrics.metric import Metric, Predictions
from nlbench.benchmark.metrics.outside import OUTSIDE, find

__all__ = ["OUTSIDE", "Metric", "Predictions", "every", "get", "is_outside"]


def every() -> tuple[Metric, ...]:
    """The measures of this folder, by name."""
    files = pkgutil.iter_modules(__path__, f"{__name__}.")
    found = (getattr(importlib.import_module(file.name), "METRIC", None) for file in files)
    return tuple(sorted((m for m in found if m is not None), key=lambda metric: metric.name))


def get(name: str, where: str = "") -> Metric:
    """The measure of this name, ours or from outside.

    Raises:
        UserError: there is none, which names ``where``; or it cannot be had from outside.
    """
    known = {metric.name: metric for metric in every()}
    if name in known:
        return known[name]
    if not OUTSIDE.is_outside(name):
        raise unknown("metric", name, (*known, *OUTSIDE.names()), where)
    return find(name)


def is_outside(name: str) -> bool:
    """Whether a measure is none of this folder but ``module:name``, or announced by a package."""
    return OUTSIDE.is_outside(name) and name not in {metric.name for metric in every()}
