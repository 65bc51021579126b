"""Archives of real records, unchanged or falsified, without training anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from nlbench.benchmark import published
from nlbench.benchmark.spec.run_spec import MethodSpec
from nlbench.benchmark.store import archive
from nlbench.benchmark.store.record import RunRecord

RESULTS = Path(__file__).resolve().parents[2] / "results"
OWN = "mine:Patience"
SOURCE = "sha256:" + "5" * 64


@cache
def records_of(study: str = "quick") -> tuple[RunRecord, ...]:
    """The published records of a study."""
    found = published.read(RESULTS / "published" / study).records()
    return tuple(item for item in found if isinstance(item, RunRecord))


def submitted() -> list[RunRecord]:
    """What somebody sends: the suite's CE, and a method of their own (GCE under another name)."""
    return [
        own(record) if record.spec.method.name == "gce" else record
        for record in records_of()
        if record.spec.method.name in ("ce", "gce")
    ]


def own(record: RunRecord, name: str = OWN, source: str = SOURCE, **params: Any) -> RunRecord:
    """The record as one of a method from outside."""
    spec = replace(record.spec, method=MethodSpec.of(name, params))
    return replace(record, spec=spec, method_source=source)


def packed(path: Path, records: Iterable[RunRecord]) -> Path:
    """The archive of these records."""
    archive.write(path, records)
    return path
