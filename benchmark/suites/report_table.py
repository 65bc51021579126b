"""The table ``[report]`` of a suite: what its report is to do.

No part of any run's identity but for metrics from outside, which are taken when a run ends.
"""

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
        metrics: names of the measures that it shows beside accuracy, see benchmark/metrics;
            those from outside are ``RunSpec.metrics`` too.
        test: name of the test of significance that decides; checked by the reports.
        rule: the accuracy rule that the declared verdicts are about; checked by the reports.
        planned_sd: standard deviation of a paired difference over seeds that was assumed when the
            study was planned, in points; ``None`` if none was.
    """

    metrics: tuple[str, ...] = ()
    test: str = "paired t"
    rule: str = "last"
    planned_sd: float | None = None


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
    at = f"{where}, report"
    words = {"test": ReportTable.test, "rule": ReportTable.rule}
    words |= {key: values[key] for key in words if key in values}
    for key, value in words.items():
        if not isinstance(value, str):
            raise UserError(f"{at}: {key} = {value!r} should be a text")
    metric_names = _metrics(values.get("metrics", []), at)
    return ReportTable(metric_names, **words, planned_sd=_sd(values.get("planned_sd"), at))


def _sd(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 100:
        raise UserError(f"{where}: planned_sd = {value!r} should be points of accuracy above 0")
    return float(value)


def _metrics(names: Any, where: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f'{where}: metrics = {names!r} should be a list of texts such as ["ece"]')
    return tuple(dict.fromkeys(metrics.get(name, where).name for name in names))
