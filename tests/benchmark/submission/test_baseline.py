"""The baseline: how far from ours it may be, and when its bits must be ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.submission import baseline as module
from nlbench.benchmark.submission.baseline import baseline, tolerance
from nlbench.benchmark.submission.references import Ours
from nlbench.benchmark.submission.submitted import Submission
from nlbench.benchmark.suites import suite as suites
from tests.helpers.records import ending_at
from tests.helpers.submissions import records_of

GPU = {"device": "NVIDIA H100", "backend": "graph", "threads": 1, "slots": 1}


def test_a_sound_archive_is_refused_as_rarely_as_stated() -> None:
    """Seeds of another machine drawn anew, which is more than another machine changes."""
    rng = np.random.Generator(np.random.Philox(0))
    conditions, seeds, archives = 4, 5, 3000
    theirs, ours = rng.normal(scale=9.0, size=(2, archives, conditions, seeds))
    away = theirs - ours
    allowed = np.array(
        [
            [tolerance(list(d), list(v), conditions) for d, v in zip(ds, vs, strict=True)]
            for ds, vs in zip(away, ours, strict=True)
        ]
    )
    refused = float((np.abs(away.mean(-1)) > allowed).any(1).mean())
    assert 0.2 * module.WRONGLY < refused < 1.3 * module.WRONGLY


def test_the_stricter_test_counts_and_little_is_always_allowed() -> None:
    ours = [90.0, 92.0, 94.0]
    t = 14.0889  # 0.9975 quantile with 2 degrees of freedom, by tables
    assert tolerance([1.0, 2.0, 3.0], ours, 1) == pytest.approx(t / 3**0.5, rel=1e-4)
    assert tolerance([9.0, -9.0, 0.0], ours, 1) == pytest.approx(2 * t * (2 / 3) ** 0.5, rel=1e-4)
    assert tolerance([0.01, 0.0, 0.0], ours, 1) == module.SMALL
    assert tolerance([0.0], ours[:1], 3) == np.inf


def test_a_shift_of_every_run_is_seen() -> None:
    """Eight test images more in every run: far below what another seed changes."""
    ours = [r for r in records_of() if r.spec.method.name == "ce"]
    moved = [ending_at(r, r.metrics["last"] + 8 / r.test_size) for r in ours]
    found = _found(moved, ours)
    assert len(found.problems) == 4  # conditions
    assert "symmetric:0.4: mean +1.00 points from ours over 5 seeds; at most 0.50" in str(found)


def _found(theirs: list[RunRecord], ours: list[RunRecord]) -> Any:
    known = Ours(Path("published"), {r.run_id: r for r in ours}, {})
    return baseline(Submission(Path("a"), tuple(theirs)), suites.load("quick"), known)


def _made_on(records: list[RunRecord], **values: Any) -> list[RunRecord]:
    return [replace(r, environment={**r.environment, **values}) for r in records]


@pytest.mark.parametrize(
    ("values", "refused"),
    [(GPU, True), ({**GPU, "deterministic": False}, False), ({"device": "cpu (X)"}, False)],
)
def test_bits_are_asked_for_on_the_same_gpu_and_code(values: dict[str, Any], refused: bool) -> None:
    ours = _made_on([r for r in records_of() if r.spec.method.name == "ce"], **values)
    record = ours[0]
    other = ending_at(record, record.metrics["last"] - 1 / record.test_size)
    found = _found([other, *ours[1:]], ours)
    assert "19 with the same predictions" in found.found
    assert bool(found.problems) == refused
    changed = _made_on([other, *ours[1:]], commit="e" * 40)
    assert not _found(changed, ours).problems


def test_a_diverged_run_counts_with_chance() -> None:
    ours = [r for r in records_of() if r.spec.method.name == "ce"]
    error = {"epoch": 1, "message": "made up", "traceback": None}
    diverged = [replace(r, status="diverged", error=error, metrics={}, curves={}) for r in ours]
    assert len(_found(diverged, ours).problems) == 4  # conditions
