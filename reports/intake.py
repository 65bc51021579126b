"""Read records once, in any order, and keep only what the reports need of each."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.record import CURVES, RunRecord
from reports.errors import ReportError
from reports.study import Study

RULES = ("last", "noisy_val", "clean_val", "oracle")
PAIRING = ("data", "labels", "split", "init", "order", "augment")
ENVIRONMENT = ("device", "threads", "backend", "deterministic", "torch", "nlbench", "python")
COLUMNS = (
    "status",
    *RULES,
    *(f"{rule}_epoch" for rule in RULES[1:]),
    "data_label",
    "recorded_rate",
    "realised_rate",
    "num_classes",
    "noise_fingerprint",
    *(f"pair_{key}" for key in PAIRING),
    *ENVIRONMENT,
    "commit",
    "dirty",
    "seconds",
    "test_size",
    "error",
)
Parts = tuple[dict[str, Any], NDArray[np.float32] | None, NDArray[np.uint8] | None]


@dataclass
class Intake:
    """What was read.

    Attributes:
        rows: run id -> values of :data:`COLUMNS`.
        curves: run id -> (len(CURVES), epochs) float32.
        correct: run id -> packed correctness bits.
        warnings: duplicates and records of other studies, a line each.
    """

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    curves: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    correct: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def keep(self, run_id: str, parts: Parts) -> None:
        """Let these parts stand for the run."""
        self.rows[run_id] = parts[0]
        self.curves.pop(run_id, None)
        self.correct.pop(run_id, None)
        if parts[1] is not None:
            self.curves[run_id] = parts[1]
        if parts[2] is not None:
            self.correct[run_id] = parts[2]

    def parts(self, run_id: str) -> Parts:
        """What stands for the run now."""
        return self.rows[run_id], self.curves.get(run_id), self.correct.get(run_id)


def gather(study: Study, records: Iterable[RunRecord]) -> Intake:
    """Take in the study's records; nothing depends on the order in which they come.

    Of two records of one run with different results the one that started first counts, and a
    warning says so; equal results are one record.

    Raises:
        ReportError: no record belongs to the study.
    """
    expected = {spec.run_id for spec in study.specs}
    intake, started = Intake(), dict[str, str]()
    foreign, clashes = 0, set[str]()
    for record in records:
        run_id = record.run_id
        if run_id not in expected:
            foreign += 1
            continue
        when, parts = str(record.timing.get("started", "")), _parts(record)
        if run_id in started:
            kept = intake.parts(run_id)
            if kept[0] != parts[0] and _result(kept[0]) != _result(parts[0]):
                clashes.add(run_id)
            if (when, _order(parts)) >= (started[run_id], _order(kept)):
                continue
        started[run_id] = when
        intake.keep(run_id, parts)
    if not intake.rows:
        seen = f"{foreign} records of other runs" if foreign else "no records"
        raise ReportError(
            f"study {study.name!r}: {seen} given, none of its {len(expected)} runs; run it first"
        )
    if foreign:
        intake.warnings.append(f"{foreign} records of runs outside this study were left out")
    intake.warnings += [
        f"run {run_id}: two records with different results; the one that started first counts"
        for run_id in sorted(clashes)
    ]
    return intake


def _parts(record: RunRecord) -> Parts:
    """What the reports need of one record."""
    curves = correct = None
    lengths = {len(curve) for curve in record.curves.values() if len(curve)}
    if lengths:
        curves = np.full((len(CURVES), max(lengths)), np.nan, dtype=np.float32)
        for row, name in enumerate(CURVES):
            curve = record.curves.get(name, ())
            curves[row, : len(curve)] = np.array(curve, dtype=np.float32)
    if record.test_correct:
        correct = np.frombuffer(base64.b64decode(record.test_correct), dtype=np.uint8)
    return _row(record), curves, correct


def _result(row: dict[str, Any]) -> list[Any]:
    """What makes two records of one run tell different results."""
    return [row[key] for key in ("status", *RULES, "noise_fingerprint")]


def _order(parts: Parts) -> str:
    """A fixed order of records that started in the same second."""
    row, curves, correct = parts
    return f"{row!r} {None if curves is None else curves.tobytes()!r} {correct!r}"


def _row(record: RunRecord) -> dict[str, Any]:
    """The columns that a record adds to its run's row; see Frame for the diverged-run rule."""
    noise, seen = record.noise, record.environment
    values = (
        record.status,
        *(accuracy_percent(record, rule) for rule in RULES),
        *(record.metrics.get(f"{rule}_epoch") for rule in RULES[1:]),
        None if record.status == "failed" else record.data_label,
        noise.get("nominal"),
        noise.get("realised"),
        noise.get("num_classes"),
        noise.get("fingerprint"),
        *(record.pairing.get(key) for key in PAIRING),
        *(seen.get(key) for key in ENVIRONMENT),
        seen.get("commit"),
        seen.get("dirty"),
        record.timing.get("seconds"),
        record.test_size or None,
        (record.error or {}).get("message"),
    )
    return dict(zip(COLUMNS, values, strict=True))


def accuracy_percent(record: RunRecord, rule: str) -> float | None:
    """One accuracy of a run in percent; chance for a diverged run, see Frame; None without one."""
    if record.status == "diverged":
        classes = record.noise.get("num_classes")
        exists = rule in ("last", "oracle") or record.spec.dataset.holdout > 0
        return 100 / classes if classes and exists else None
    value = record.metrics.get(rule)
    return None if value is None or record.status != "ok" else 100 * float(value)
