"""Reports: run records in, tables, verdicts and figures out. Reads records, trains nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.assemble import PARTS, Built, build
    from reports.errors import ReportError
    from reports.frame import Frame, tidy
    from reports.intake import RULES, Intake
    from reports.reading import Read, read
    from reports.results import Results, analyse
    from reports.study import Study
    from reports.verdict import Verdict

# Loaded when asked for: a process that only reads records or writes figures does not
# wait for the statistics.
_HOME = {
    "PARTS": "assemble",
    "Built": "assemble",
    "build": "assemble",
    "ReportError": "errors",
    "Frame": "frame",
    "tidy": "frame",
    "RULES": "intake",
    "Intake": "intake",
    "Read": "reading",
    "read": "reading",
    "Results": "results",
    "analyse": "results",
    "Study": "study",
    "Verdict": "verdict",
}

__all__ = [
    "PARTS",
    "RULES",
    "Built",
    "Frame",
    "Intake",
    "Read",
    "ReportError",
    "Results",
    "Study",
    "Verdict",
    "analyse",
    "build",
    "read",
    "tidy",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
