"""What the steps cost is taken from the real code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nlbench.benchmark.scale.calls import counted
from nlbench.benchmark.scale.measured import driver_costs, visits
from nlbench.noise import whole
from tests.helpers.records import sound
from tests.helpers.runs import tiny

RECORDS = [sound(spec) for spec in (tiny(seed=seed) for seed in range(12))]


def test_calls_are_counted_by_their_names(tmp_path: Path) -> None:
    with counted() as found:
        (tmp_path / "a").write_bytes(b"x")
        os.stat(tmp_path / "a")  # noqa: PTH116
        len("nothing")
        (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "b").unlink()
    assert found == {"open": 1, "write": 1, "close": 1, "stat": 1, "rename": 1}


def test_a_whole_file_is_made_flushed_and_renamed(tmp_path: Path) -> None:
    with counted() as found:
        whole.write_bytes(tmp_path / "a", b"x")
    assert found["fsync"] == 1
    assert found["rename"] + found["replace"] == 1
    assert found["open"] == 1
    assert found["scandir"] == 1  # for what killed writes have left


@pytest.mark.skipif(os.name == "nt", reason="files are not locked there")
def test_steps_of_a_shared_store(tmp_path: Path) -> None:
    apart = list({record.run_id[:2]: record for record in RECORDS}.values())[:3]
    found = visits(tmp_path, apart)
    assert found.done == found.beat == 1  # one question, one time
    assert found.taken > found.claim > 4  # two questions, a file made, locked and written
    assert found.record > 15
    assert found.read >= 5
    assert found.folders >= 3 * 256
    assert found.look >= 10
    assert found.run(60.0, 600.0) == found.claim + found.record


def test_steps_of_a_driver(tmp_path: Path) -> None:
    costs = driver_costs(tmp_path, RECORDS, task=0.01)
    assert costs.task == 0.01
    assert 0 < costs.beat < costs.claim < 1
    assert 0 < costs.keep < 1
    assert costs.most > 0
