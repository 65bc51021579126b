"""References: our published records of the data sets that a suite has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.submission.fingerprints import Key, prints
from nlbench.benchmark.suites.suite import Suite


@dataclass(frozen=True)
class Ours:
    """What a submission is compared with.

    Attributes:
        folder: of the published studies.
        records: of the suite's own runs, by run id.
        prints: fingerprint by what it is of, from all published studies.
    """

    folder: Path
    records: Mapping[str, RunRecord]
    prints: Mapping[Key, str]


def ours(suite: Suite, results: Path) -> Ours:
    """Read the published studies of a results folder that have a data set of this suite.

    Raises:
        UserError: one of them is damaged.
    """
    wanted = {spec.run_id for spec in suite.specs}
    groups = {spec.dataset.name for spec in suite.specs}
    records: dict[str, RunRecord] = {}
    found: dict[Key, str] = {}
    for record in _published(results, groups):
        found.update(prints(record))
        if record.run_id in wanted:
            records.setdefault(record.run_id, record)
    return Ours(results / "published", records, found)


def _published(results: Path, names: set[str]) -> Iterator[RunRecord]:
    for folder in published.studies(results):
        study = published.read(folder)
        if names & {spec.dataset.name for spec in study.suite.specs}:
            for item in study.records():
                if isinstance(item, str):
                    raise UserError(f"published study {folder}: {item}")
                yield item
