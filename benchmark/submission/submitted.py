"""Submission: what an archive holds, read without importing anything that it names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.plain_values import shown
from nlbench.benchmark.store.record import RunRecord


@dataclass(frozen=True)
class Submission:
    """An archive of records.

    Attributes:
        path: of the archive.
        records: the sound ones, one per run.
        refused: a line for each that is damaged, out of range, foreign or missing.
    """

    path: Path
    records: tuple[RunRecord, ...]
    refused: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Submission:
        """What `nlbench store export` wrote, or is claimed to have written.

        Raises:
            UserError: no archive of records, or one without any.
        """
        records: dict[str, RunRecord] = {}
        refused = []
        for item in archive.read(path):
            if isinstance(item, str):
                refused.append(item)
            elif reason := _misshapen(item.spec):
                refused.append(f"{path}, {item.run_id}.json: {reason}")
            else:
                records[item.run_id] = item
        if not records and not refused:
            raise UserError(f"archive {path}: holds no record; `nlbench store export` writes them")
        return cls(path, tuple(records.values()), tuple(refused))

    @property
    def sha256(self) -> str:
        """As :attr:`Suite.sha256`: over the sorted ids of its runs."""
        return sha256_of(sorted(record.run_id for record in self.records))

    def of(self, method: str) -> list[RunRecord]:
        """The runs of a method."""
        return [record for record in self.records if record.spec.method.name == method]

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of its methods, sorted."""
        return tuple(sorted({record.spec.method.name for record in self.records}))


def _misshapen(spec: RunSpec) -> str:
    """What of a spec is of no type that a spec has; empty if nothing is.

    Other readers look for records by the ids of specs that they know, and need not ask.
    """
    kinds = (
        ("method", spec.method.name, (str,)),
        ("model", spec.model, (str,)),
        ("noise", spec.noise, (str,)),
        ("profile", spec.profile, (str,)),
        ("seed", spec.seed, (int,)),
        *(("metric", name, (str,)) for name in spec.metrics),
        *((f"parameter {shown(key)}", key, (str,)) for key, _ in spec.method.params),
        *((key, value, (str, int, float, bool, type(None))) for key, value in spec.method.params),
    )
    wrong = [f"{name} = {shown(value)}" for name, value, types in kinds if type(value) not in types]
    return f"its spec has {wrong[0]}, of another type than it must be" if wrong else ""


def some(records: Sequence[RunRecord], reason: str) -> str:
    """One line about several runs: how many, which is the first, and what is said of them."""
    first, count = records[0].spec, len(records)
    return f"{first}: {reason}" if count == 1 else f"{count} runs ({first}, ...): {reason}"
