"""Submitted results beside ours: the leaderboard rows of an archive that was admitted.

Here and not in ``reports``, which reads records only: suites and methods are needed too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from nlbench import reports
from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.submission.admission import Admission
from nlbench.noise import whole
from nlbench.reports.leaderboard import origins
from nlbench.reports.leaderboard.merge import Line
from nlbench.reports.leaderboard.origins import Origin
from nlbench.reports.leaderboard.table import leaderboard_table
from nlbench.reports.render.files import to_csv
from nlbench.studies import published_study

LEADERBOARD = "leaderboard.csv"


@dataclass(frozen=True)
class Added:
    """What was added to a leaderboard.

    Attributes:
        rows: of the submission.
        total: of the file.
        begun: our rows that a new file began with; ``None`` if the file was there.
    """

    rows: int
    total: int
    begun: int | None


def add_to(file: Path, admission: Admission, origin: Origin, results: Path) -> Added:
    """Add the rows of an admitted submission to a leaderboard, or begin one with our rows.

    Args:
        file: the leaderboard; every row of it is marked with an origin.
        admission: of the submission.
        origin: whose results they are.
        results: folder with our published studies.

    Raises:
        UserError: the submission was not admitted, or the file cannot be written.
        ReportError: rows that are there already or do not fit, or a file with unmarked rows.
    """
    if not admission.admitted:
        raise UserError(f"archive {admission.submission.path}: was not admitted")
    begin = not file.exists()
    present = _ours(admission, results) if begin else origins.marked(file)
    rows = rows_of(admission)
    table = origins.added(present, rows, origin, str(admission.submission.path))
    try:
        whole.write_text(file, to_csv(table))
    except OSError as error:
        raise UserError(f"{file}: cannot be written ({error.strerror or error})") from error
    ours = int((table[origins.ORIGIN] == origins.OURS).sum())
    count = int((rows["scope"] == "condition").sum())
    return Added(count, len(table), ours if begin else None)


def rows_of(admission: Admission) -> pd.DataFrame:
    """Leaderboard rows of a submission; a method from outside is called by its name."""
    suite = published_study(admission.suite, "")
    records = admission.submission.records
    at = {spec.run_id: number for number, spec in enumerate(suite.specs)}
    specs = sorted((r.spec for r in records), key=lambda s: (at.get(s.run_id, len(at)), *_words(s)))
    # The suite's hash stays: the runs were found to be at its places. Its hypotheses may be about
    # methods that are not here.
    study = replace(suite, specs=tuple(specs), hypotheses=())
    return leaderboard_table(reports.analyse(study, records))


def _words(spec: RunSpec) -> tuple[str, str, int, str]:
    return spec.method.name, spec.noise, spec.seed, spec.run_id


def _ours(admission: Admission, results: Path) -> list[Line]:
    """Our published rows of the suite, if it was published as it was checked."""
    folder = published.find(admission.suite.name, results)
    if folder is None or published.read(folder).suite.sha256 != admission.suite.sha256:
        return []
    return origins.published(folder / LEADERBOARD)
