"""The table of growth is made of what it says, on a small scale; no second is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlbench import growth
from nlbench.benchmark.speed import shared_data
from nlbench.benchmark.store.store import Store


def test_every_step_runs_on_a_store_of_its_own(tmp_path: Path) -> None:
    growth._make(tmp_path, 200)
    for step in growth.STEPS.values():
        step(tmp_path)()
    ids = list(Store.open(tmp_path / "runs").ids())
    assert len(ids) == 200
    assert list(Store.open(tmp_path / "other" / "runs").ids()) == ids
    measured = growth._timed("status", tmp_path)
    assert set(measured) == {"seconds", "cpu_seconds", "more_mb"}


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="Linux says it")
def test_processes_that_hold_a_data_set_are_measured() -> None:
    (row,) = shared_data.run("digits", None, (2,))
    assert row["processes"] == 2
    assert 0 <= row["mb"] < 500
