"""Read records once, in any order, and keep only what the reports need of each."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.store.record import CURVES, RunRecord
from nlbench.reports.errors import ReportError
from nlbench.reports.read.fields import COLUMNS, RECORDED, RULES
from nlbench.reports.read.packed_json import PackedJson, pack
from nlbench.reports.read.study import Study

STATUS, FINGERPRINT = COLUMNS.index("status"), COLUMNS.index("noise_fingerprint")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """What the reports keep of one record.

    Attributes:
        row: values of :data:`COLUMNS`.
        curves: (len(CURVES), epochs) float32, NaN where a curve has no value; ``None`` without any.
        correct: packed bits of the test images that the last epoch got right, ``None`` without.
        started: when the run started, as recorded.
        evaluations: packed ``RunRecord.evaluations``, ``None`` without any; see
            read/packed_json.py.
    """

    row: Row
    curves: NDArray[np.float32] | None
    correct: NDArray[np.uint8] | None
    started: str
    evaluations: PackedJson | None = None

    @property
    def result(self) -> Row:
        """What differs between two records of one run that have different results."""
        return (*self.row[STATUS : STATUS + 1 + len(RULES)], self.row[FINGERPRINT])

    @property
    def order(self) -> tuple[str, str]:
        """The earlier first; a fixed order of records that started in the same second."""
        curves = None if self.curves is None else self.curves.tobytes()
        packed = self.evaluations and (
            self.evaluations.shape,
            self.evaluations.numbers.tobytes(),
            self.evaluations.points.tobytes(),
        )
        return self.started, f"{self.row!r} {curves!r} {self.correct!r} {packed!r}"


@dataclass(frozen=True)
class Intake:
    """What was read.

    Attributes:
        taken: run id -> what is kept of the run.
        warnings: duplicates, records of other studies or schemas, a line each.
    """

    taken: Mapping[str, KeptRecord]
    warnings: tuple[str, ...] = ()


def gather(study: Study, records: Iterable[RunRecord]) -> Intake:
    """Take in the study's records; nothing depends on the order in which they come.

    Of two records of one run with different results the one that started first counts, and a
    warning is given; equal results are one record.

    Raises:
        ReportError: no record belongs to the study.
    """
    expected = {spec.run_id for spec in study.specs}
    found: dict[str, KeptRecord] = {}
    foreign, clashes = 0, set[str]()
    keep = Extractor()
    for record in records:
        run_id = record.run_id
        if run_id not in expected:
            foreign += 1
            continue
        new, old = keep(record), found.get(run_id)
        if old is not None:
            if old.result != new.result:
                clashes.add(run_id)
            if new.order >= old.order:
                continue
        found[run_id] = new
    if not found:
        seen = f"{foreign} records of other runs given" if foreign else "no records given"
        raise nothing(study, seen)
    left_out = [f"{foreign} records of runs outside this study were left out"] if foreign else []
    clashed = [
        f"run {run_id}: two records with different results; the one that started first counts"
        for run_id in sorted(clashes)
    ]
    return Intake(found, (*left_out, *clashed))


def nothing(study: Study, seen: str) -> ReportError:
    """Return (not raise) the error for a study without a single record."""
    runs = len({spec.run_id for spec in study.specs})
    return ReportError(
        f"study {study.name!r}: {seen}, none of its {runs} runs; run it first,"
        " or name the results folder that has them"
    )


class Extractor:
    """Takes from records what the reports need; equal texts of many records are one object."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def __call__(self, record: RunRecord) -> KeptRecord:
        """The kept parts of one record."""
        curves = correct = None
        epochs = max((len(curve) for curve in record.curves.values()), default=0)
        if epochs:
            curves = np.full((len(CURVES), epochs), np.nan, dtype=np.float32)
            for at, name in enumerate(CURVES):
                if curve := record.curves.get(name, ()):
                    curves[at, : len(curve)] = curve  # None becomes NaN
        if record.test_correct:
            correct = np.frombuffer(base64.b64decode(record.test_correct), dtype=np.uint8)
        text = self._texts
        values = (read(record) for _, read in RECORDED)
        row = tuple(text.setdefault(v, v) if type(v) is str else v for v in values)
        started = str(record.timing.get("started", ""))
        packed = pack(record.evaluations)
        if packed is not None:
            packed = replace(packed, shape=text.setdefault(packed.shape, packed.shape))
        return KeptRecord(row, curves, correct, started, packed)
