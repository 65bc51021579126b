"""The same records whoever makes them: serial, two workers, or killed three times over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nlbench.benchmark.executors.executor import Worker
from nlbench.benchmark.executors.local import Serial
from nlbench.benchmark.executors.registry import create
from nlbench.benchmark.runs import plan
from nlbench.benchmark.runs.progress import Progress
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite
from tests.helpers.runs import HERE, STUDY

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def science(results: Path) -> dict[str, dict[str, Any]]:
    """All records without environment and timing."""
    return {r.run_id: r.science() for r in Store.open(results / "runs").records()}


def command(study: Path, results: Path, workers: int) -> list[str]:
    words = [sys.executable, "-m", "nlbench", "run", str(study), "--device", "cpu"]
    return [*words, "--results", str(results), "--workers", str(workers)]


def serial(study: Path, results: Path) -> dict[str, dict[str, Any]]:
    """The reference: all runs one after the other in this process."""
    store = Store.open(results / "runs", create=True)
    Serial().run(Worker(store, HERE), suite.load(str(study)).specs)
    return science(results)


@pytest.mark.slow
def test_killed_three_times_and_two_workers_give_the_serial_records(
    study: Path, tmp_path: Path
) -> None:
    expected = serial(study, tmp_path / "serial")
    assert len(expected) == 12
    killed = tmp_path / "killed"
    survivors: list[str] = []
    for _ in range(3):
        started = subprocess.Popen(
            command(study, killed, 1),
            cwd=REPOSITORY,
            stderr=subprocess.DEVNULL,
        )
        wait_for_another_record(killed, len(survivors), started)
        started.kill()
        started.wait()
        survivors = list(Store.open(killed / "runs").ids())
    assert 3 <= len(survivors) < 12
    workers = min(2, len(os.sched_getaffinity(0)))
    subprocess.run(command(study, killed, workers), cwd=REPOSITORY, check=True)
    assert science(killed) == expected
    assert not list((killed / "runs").glob("damaged/*"))


def wait_for_another_record(results: Path, before: int, running: subprocess.Popen[bytes]) -> None:
    """Until the store has more records than before."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if len(list((results / "runs").glob("??/*.json"))) > before:
            return
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    raise AssertionError("no new record in five minutes")


def test_threads_in_one_process_give_the_serial_records(study: Path, tmp_path: Path) -> None:
    expected = serial(study, tmp_path / "serial")
    store = Store.open(tmp_path / "threads" / "runs", create=True)
    specs = suite.load(str(study)).specs
    with Progress(store, specs) as progress:
        create("threading", 1).run(Worker(store, HERE), specs)
    assert progress.counts == {"ok": 12}
    assert science(tmp_path / "threads") == expected


def test_order_and_other_runs_do_not_matter(study: Path, tmp_path: Path) -> None:
    expected = serial(study, tmp_path / "serial")
    store = Store.open(tmp_path / "other" / "runs", create=True)
    for spec in reversed(suite.load(str(study)).specs[:3]):
        Worker(store, HERE)(spec)
    found = science(tmp_path / "other")
    assert found == {run_id: expected[run_id] for run_id in found}
    assert len(found) == 3


def test_a_damaged_record_is_run_again(study: Path, tmp_path: Path) -> None:
    one = suite.load(str(study)).select(methods=["ce"], seeds=[0], noise=["symmetric:0.4"])
    store = Store.open(tmp_path / "runs", create=True)
    work = Worker(store, HERE)
    Serial().run(work, one.specs)
    expected = science(tmp_path)
    path = store.path(one.specs[0].run_id)
    path.write_bytes(path.read_bytes()[:100])
    todo = plan.make(one, store)
    assert [s.run_id for s in todo.todo] == [one.specs[0].run_id]
    assert one.specs[0].run_id in todo.damaged[0]
    Serial().run(work, todo.todo)
    assert science(tmp_path) == expected


def test_failed_runs_are_kept_and_retried_on_request(study: Path, tmp_path: Path) -> None:
    study.write_text(STUDY.replace("batch_size = 64", "batch_size = 799"))
    bad = suite.load(str(study))
    store = Store.open(tmp_path / "runs", create=True)
    Serial().run(Worker(store, HERE), bad.specs[:2])
    assert plan.make(bad, store).statuses == {"failed": 2}
    assert len(plan.make(bad, store).todo) == 10
    assert len(plan.make(bad, store, retry=True).todo) == 12
