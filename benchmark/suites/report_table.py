"""The table ``[report]`` of a suite: what its report is to do, no part of any run's identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nlbench.benchmark import metrics
from nlbench.benchmark.errors import UserError, unknown


@dataclass(frozen=True)
class ReportTable:
    """What the report of a suite is to contain.

    Attributes:
        metrics: names of the measures that it shows beside accuracy, see benchmark/metrics.
        test: name of the test of significance that decides; checked by the reports.
    """

    metrics: tuple[str, ...] = ()
    test: str = "paired t"


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
    test = values.get("test", ReportTable.test)
    if not isinstance(test, str):
        raise UserError(f"{where}, report: test = {test!r} should be a text")
    return ReportTable(_metrics(values.get("metrics", []), f"{where}, report"), test)


def _metrics(names: Any, where: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f'{where}: metrics = {names!r} should be a list of texts such as ["ece"]')
    return tuple(dict.fromkeys(metrics.get(name, where).name for name in names))
