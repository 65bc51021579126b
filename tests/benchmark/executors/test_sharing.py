"""Callers of one store train each run once; what others have is waited for, or said."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nlbench.benchmark.executors import sharing
from nlbench.benchmark.executors.executor import Order, Worker, digest, settled
from nlbench.benchmark.executors.local import Serial
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.train_suite import train_suite
from nlbench.benchmark.reliability import study as small
from nlbench.benchmark.reliability import writers
from nlbench.benchmark.runs import context
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.selection import shard
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.claims import Claims
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite
from nlbench.benchmark.training.checkpoint import Checkpoints
from nlbench.cli import main
from tests.helpers.records import sound
from tests.helpers.runs import HERE, tiny

HOW = TrainOptions(device="cpu", workers=1)
SUITE = small.study(noise=["symmetric:0.4"], seeds=2)


@pytest.fixture
def study() -> Suite:
    return suites.parse(SUITE, "study", "study.toml")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "runs", create=True)


def test_eight_callers_train_each_run_once(tmp_path: Path) -> None:
    found = writers.together(tmp_path, callers=8, seeds=2)
    assert found.fault() == ""
    assert found.trained == 12


def test_the_others_take_over_from_one_that_was_killed(tmp_path: Path) -> None:
    found = writers.together(tmp_path, callers=3, seeds=3, kill=True)
    assert found.fault(killed=1) == ""


def test_what_is_claimed_is_left_and_said(
    study: Suite, tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = Claims.of(store.root).claim(study.specs[1].run_id)
    assert taken is not None
    found = train_suite(study, tmp_path, replace(HOW, wait=False), io.StringIO())
    assert found.missing == (study.specs[1],)
    assert len(found.elsewhere) == 1
    assert not found.complete
    (tmp_path / "study.toml").write_text(SUITE)
    words = ["run", str(tmp_path / "study.toml"), "--results", str(tmp_path), "--device", "cpu"]
    assert main([*words, "--workers", "1", "--no-wait"]) == 1
    assert f"trained elsewhere: {found.elsewhere[0]}" in capsys.readouterr().err
    taken.release()


def test_what_is_claimed_is_waited_for(
    study: Suite, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "LOOK", 0.02)
    taken = Claims.of(store.root).claim(study.specs[1].run_id)
    assert taken is not None
    said = io.StringIO()
    ended: list[bool] = []
    thread = threading.Thread(
        target=lambda: ended.append(train_suite(study, tmp_path, HOW, said).complete)
    )
    thread.start()
    for _ in range(6000):
        if "waiting for 1 runs that others train: process " in said.getvalue():
            break
        thread.join(0.01)
    assert not ended
    taken.release()
    thread.join(60)
    assert ended == [True]


def test_a_record_that_came_since_is_not_made_again(store: Store) -> None:
    spec = tiny()
    Worker(store, HERE)(spec)
    old = store.read(spec.run_id)
    assert old is not None
    before = store.path(spec.run_id).stat()
    Worker(store, HERE)(spec)
    assert store.path(spec.run_id).stat().st_mtime_ns == before.st_mtime_ns
    replaces = {spec.run_id: digest(old)}
    assert not settled(store, spec.run_id, digest(old))
    Worker(store, HERE)(Order((spec,), replaces))
    new = store.path(spec.run_id).stat().st_mtime_ns
    assert new != before.st_mtime_ns
    made = store.read(spec.run_id)
    assert made is not None
    others = {**made.timing, "seconds": 12345.0}
    store.write(replace(made, timing=others))
    Worker(store, HERE)(Order((spec,), replaces))
    found = store.read(spec.run_id)
    assert found is not None
    assert found.timing == others


def test_what_the_dead_left_is_removed(store: Store) -> None:
    """A claim of a run that is done, and one of a run whose record was being written."""
    done, begun = tiny(), tiny("gce")
    folder = store.root / "claims"
    Worker(store, replace(HERE, checkpoints=Checkpoints(store.root / "checkpoints", 0.0)))(done)
    for spec in (done, begun):
        (folder / f"{spec.run_id}.claim").touch()
        os.utime(folder / f"{spec.run_id}.claim", (1, 1))
        store.path(spec.run_id).parent.mkdir(exist_ok=True)
        (store.path(spec.run_id).parent / f".{spec.run_id}.json.abcdef01").touch()
        (store.root / "checkpoints" / f".{spec.run_id}.pt.abcdef01").touch()
    other = store.path(done.run_id).parent / ".0000000000000000.json.abcdef01"
    other.touch()
    sharing.tidy(store)
    assert list(folder.iterdir()) == []
    assert [path.name for path in store.root.rglob(".*")] == [other.name]
    assert store.read(done.run_id) is not None


def test_a_checkpoint_is_removed_without_a_claim_once_its_run_has_a_record(store: Store) -> None:
    """A signal may come when the record is written and its checkpoint is there still."""
    done, begun = tiny(), tiny("gce")
    folder = store.root / "checkpoints"
    folder.mkdir()
    for spec in (done, begun):
        (folder / f"{spec.run_id}.pt").touch()
        os.utime(folder / f"{spec.run_id}.pt", (1, 1))
    store.write(train(done, HERE))
    sharing.tidy(store)
    assert [path.stem for path in folder.iterdir()] == [begun.run_id]


def test_what_the_dead_left_is_removed_where_nothing_is_left_to_train(
    study: Suite, tmp_path: Path, store: Store
) -> None:
    assert train_suite(study, tmp_path, HOW, io.StringIO()).complete
    left = store.root / "claims" / f"{study.specs[0].run_id}.claim"
    left.touch()
    os.utime(left, (1, 1))
    assert train_suite(study, tmp_path, HOW, io.StringIO()).complete
    assert not left.exists()


def test_the_environment_is_taken_where_a_run_trains(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = replace(HERE, environment=None)
    monkeypatch.setattr(context, "environment_here", lambda device: {"device": f"another {device}"})
    Worker(store, here)(tiny())
    (record,) = store.records()
    assert record.environment["device"] == "another cpu"


def test_the_caller_sends_no_environment(
    study: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Worker] = []
    monkeypatch.setattr(Serial, "run", lambda _self, work, _packs: sent.append(work))
    monkeypatch.chdir(tmp_path)
    train_suite(study, Path("results"), replace(HOW, wait=False), io.StringIO())
    assert [worker.context.environment for worker in sent] == [None]
    assert sent[0].store.root == tmp_path / "results" / "runs"


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
def test_a_checkpoint_that_was_being_written_goes_once_its_writer_is_gone(store: Store) -> None:
    """A run may be taken over and done while its killed owner still has the file."""
    import fcntl

    folder = store.root / "checkpoints"
    folder.mkdir()
    half, aside = folder / ".d9d5b975dd8d6fb2.pt.171285db", folder / "0ce9b6ea2b56ffa1.aside"
    half.touch()
    aside.touch()
    with half.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sharing.tidy(store)
        assert half.exists()
    sharing.tidy(store)
    assert [path.name for path in folder.iterdir()] == [aside.name]


def test_each_caller_begins_with_its_own_part(
    study: Suite, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it trains what nobody has, and tries what another has, who may be dead."""
    asked: list[set[RunSpec]] = []
    real = Serial.run

    def noted(self: Serial, work: Any, orders: Sequence[Any]) -> None:
        asked.append({order.pack[0] for order in orders})
        real(self, work, orders)

    monkeypatch.setattr(Serial, "run", noted)
    own, other = (shard(study.specs, number, 2) for number in (1, 2))
    taken = Claims.of(store.root).claim(other[0].run_id)
    assert taken is not None
    how = replace(HOW, wait=False, begin=(1, 2))
    found = train_suite(study, tmp_path, how, io.StringIO())
    assert asked == [set(own), set(other[1:]), {other[0]}]
    assert found.missing == (other[0],)
    assert found.counts == {"ok": len(own)}  # the other part is another's to tell of
    assert len(found.elsewhere) == 1
    taken.release()
    assert train_suite(study, tmp_path, replace(how, begin=(2, 2)), io.StringIO()).complete
    assert asked[3:] == [{other[0]}]


def test_what_others_claim_is_not_reached_for(store: Store) -> None:
    specs = [tiny(seed=seed) for seed in range(sharing.LOOKED_AT + 20)]
    folder = store.root / "claims"
    folder.mkdir()
    for spec in specs[5:]:
        (folder / f"{spec.run_id}.claim").touch()
    assert sharing.unclaimed(store, specs, (1, 4)) == tuple(specs[:5])
    assert sharing.unclaimed(store, specs[:4], (3, 4)) == (*specs[2:4], *specs[:2])
    assert sharing.unclaimed(store, specs[5:], (3, 4)) == ()
    claims = Claims.of(store.root)
    assert sharing.others_words(claims, specs)[-1] == "others (15 runs)"
    sharing.tidy(store)  # left to a call that finds fewer
    assert len(claims.runs()) == len(specs) - 5


def test_many_records_are_listed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = [tiny(seed=seed) for seed in range(4)]
    made = [sound(spec) for spec in specs[:3]]
    for record in made:
        store.write(record)
    replaces = {specs[0].run_id: digest(made[0]), specs[1].run_id: "another"}
    for most in (1000, 0):
        monkeypatch.setattr(sharing, "LISTED", most)
        assert sharing.unsettled(store, specs, {}) == (specs[3],)
        assert sharing.unsettled(store, specs, replaces) == (specs[0], specs[3])
