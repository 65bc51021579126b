"""Admission: all checks of a submission, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.submission import fingerprints, origins, runs
from nlbench.benchmark.submission.baseline import baseline
from nlbench.benchmark.submission.check import Check
from nlbench.benchmark.submission.places import Places
from nlbench.benchmark.submission.references import ours
from nlbench.benchmark.submission.submitted import Submission
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite

# What no check of records can show; printed with every result.
NOT_PROVED = (
    "A digest is no signature: the checks show that the records are whole, agree with each other"
    " and with ours. They do not show who made them, that the commit and the device named are the"
    " ones that ran, that a method did not see clean or test labels, or that no setting was chosen"
    " on the test set. Whoever repeats some of the runs with the named source finds that out."
)


@dataclass(frozen=True)
class Admission:
    """What came of a submission.

    Attributes:
        submission: what was checked.
        suite: that it was checked against.
        checks: each with what was found.
    """

    submission: Submission
    suite: Suite
    checks: tuple[Check, ...]

    @property
    def admitted(self) -> bool:
        """Whether no check failed."""
        return not any(check.problems for check in self.checks)


def examine(path: Path, results: Path, asked: str | None = None) -> Admission:
    """Check an archive of records against a suite and our published records.

    Nothing that the archive names is imported; what the suite names is.

    Args:
        path: the archive.
        results: folder with our published studies.
        asked: the suite, by name or file; by default the one that most of the runs are of.

    Raises:
        UserError: no archive of records, no such suite, or none that the runs are of.
    """
    submission = Submission.read(path)
    suite = load(asked, results) if asked else _suite_of(submission, results)
    places, known = Places(suite), ours(suite, results)
    checks = (
        runs.records(submission),
        runs.suite(submission, places),
        runs.seeds(submission, places),
        fingerprints.pairing(submission),
        fingerprints.published(submission, known.prints),
        baseline(submission, suite, known),
        origins.sources(submission),
        origins.machine(submission),
    )
    return Admission(submission, suite, checks)


def load(asked: str, results: Path) -> Suite:
    """A suite as it was published, if it was, else as it is declared; UserError if neither."""
    folder = published.find(asked, results)
    return suites.load(asked) if folder is None else published.read(folder).suite


def _suite_of(submission: Submission, results: Path) -> Suite:
    """The suite that has most of the runs; a published one before others.

    Raises:
        UserError: none has any.
    """
    ids = {record.run_id for record in submission.records}
    for known in (_published(results), map(suites.load, suites.names())):
        found = [(_shared(suite, ids), suite) for suite in known]
        count, best = max(found, key=lambda pair: (pair[0], -len(pair[1].specs)), default=(0, None))
        if best is not None and count:
            return best
    raise UserError(
        f"archive {submission.path}: none of its runs is of a suite that is known here; name the"
        " suite that it was run for: --suite NAME or FILE"
    )


def _published(results: Path) -> Iterator[Suite]:
    return (published.read(folder).suite for folder in published.studies(results))


def _shared(suite: Suite, ids: set[str]) -> int:
    return len(ids & {spec.run_id for spec in suite.specs})
