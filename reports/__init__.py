"""Reports: run records in, tables, verdicts and figures out. Reads records, trains nothing."""

from __future__ import annotations

from reports.assemble import PARTS, Built, build
from reports.errors import ReportError
from reports.frame import Frame, tidy
from reports.intake import RULES, Intake
from reports.reading import Read, read
from reports.results import Results, analyse
from reports.study import Study
from reports.verdict import Verdict

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
