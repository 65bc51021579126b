"""Reports: run records in, tables, verdicts and figures out. Reads records, trains nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlbench.reports.build import PARTS, Built, build_report
    from nlbench.reports.compare.comparison import Comparison
    from nlbench.reports.compare.results import Results, analyse
    from nlbench.reports.errors import ReportError
    from nlbench.reports.read.extract import Intake
    from nlbench.reports.read.fields import RULES
    from nlbench.reports.read.frame import Frame, tidy
    from nlbench.reports.read.reader import Read, read_records
    from nlbench.reports.read.study import Study
    from nlbench.reports.stats.significance import significance_test

# Loaded when asked for: a process that only reads records or writes figures does not
# wait for the statistics.
_HOME = {
    "PARTS": "build",
    "Built": "build",
    "build_report": "build",
    "ReportError": "errors",
    "Frame": "read.frame",
    "tidy": "read.frame",
    "RULES": "read.fields",
    "Intake": "read.extract",
    "Read": "read.reader",
    "read_records": "read.reader",
    "Results": "compare.results",
    "analyse": "compare.results",
    "Study": "read.study",
    "significance_test": "stats.significance",
    "Comparison": "compare.comparison",
}

__all__ = [
    "PARTS",
    "RULES",
    "Built",
    "Comparison",
    "Frame",
    "Intake",
    "Read",
    "ReportError",
    "Results",
    "Study",
    "analyse",
    "build_report",
    "read_records",
    "significance_test",
    "tidy",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


if __name__ != "nlbench.reports":
    raise ImportError("this folder is the package nlbench.reports: import it by that name")
