"""Write a report into its folder: leftovers of earlier ones are removed, whole ones kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.results import check_unpublished
from nlbench.reports import manifest
from nlbench.reports.build import Built, build_from, build_report
from nlbench.reports.compare.results import Results
from nlbench.reports.read.extract import Intake
from nlbench.reports.read.study import Study


@dataclass(frozen=True)
class Written:
    """A report in its folder.

    Attributes:
        built: what it came to.
        removed: files of an earlier report that do not belong to this one.
    """

    built: Built
    removed: tuple[str, ...]


def write_report(
    study: Study,
    intake: Intake,
    out: Path,
    rule: str | None = None,
    only: str | None = None,
    workers: int = 1,
) -> Written:
    """Build a report and remove what an earlier one wrote there and this one did not.

    The arguments are those of :func:`build_report`.

    Raises:
        UserError: the report of a part of a study would replace that of a whole one, or it is the
            folder of a published study.
        ReportError: see :func:`build_report`.
    """
    check_unpublished(out)
    part = bool(study.part)
    if part and manifest.read(out).part is False:
        raise UserError(
            f"report folder {out}: holds the report of a whole study, which that of a part does"
            " not replace; name another folder with --out"
        )
    return _settled(build_report(study, intake, out, rule, only, workers), out, part, only)


def write_results(
    results: Results, out: Path, only: str | None = None, workers: int = 1
) -> Written:
    """:func:`write_report` of what was computed already."""
    check_unpublished(out)
    return _settled(build_from(results, out, only, workers), out, False, only)


def _settled(built: Built, out: Path, part: bool, only: str | None) -> Written:
    gone = manifest.settle(out, built.files, part, lambda name: _concerns(only, name))
    return Written(built, tuple(gone))


def _concerns(only: str | None, name: str) -> bool:
    """Whether a report of this part of its files would write a file of this name."""
    kind = {".csv": "leaderboard", ".md": "tables", ".tex": "tables"}.get(Path(name).suffix)
    if name.startswith("figures/"):
        kind = "figures"
    return only is None or (kind == only and name != "index.md")
