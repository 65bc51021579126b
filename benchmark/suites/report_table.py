"""The table ``[report]`` of a suite: what its report is to do, no part of any run's identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nlbench.benchmark import metrics
from nlbench.benchmark.errors import UserError, unknown


@dataclass(frozen=True)
class ReportTable:
    """What a suite asks of its report.

    Attributes:
        metrics: names of the measures that it shows beside accuracy, see benchmark/metrics.
    """

    metrics: tuple[str, ...] = ()


def parse(values: Any, where: str) -> ReportTable:
    """Read the table.

    Raises:
        UserError: no table, an unknown key or measure, or a value of another type; named.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{where}: report = {values!r} should be a table")
    known = [field.name for field in fields(ReportTable)]
    for key in values:
        if key not in known:
            raise unknown("key", key, known, f"{where}, report")
    return ReportTable(metrics=_metrics(values.get("metrics", []), f"{where}, report"))


def _metrics(names: Any, where: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f'{where}: metrics = {names!r} should be a list of texts such as ["ece"]')
    return tuple(dict.fromkeys(metrics.get(name, where).name for name in names))
