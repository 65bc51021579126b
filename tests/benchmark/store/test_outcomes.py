"""The index beside the records: it agrees with a full reading whatever happened to the store."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nlbench.benchmark.store import index, outcomes
from nlbench.benchmark.store.index import FILE, Facts, facts_of
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from tests.helpers.records import failed, sound
from tests.helpers.runs import tiny

SPECS = tuple(tiny(seed=seed) for seed in range(12))
SEEDS = st.integers(0, len(SPECS) - 1)
OLD = 10**18  # a time of change long ago, ns


def variant(seed: int, kind: int) -> RunRecord:
    spec = SPECS[seed]
    parts = {"model mine": f"sha256:{kind:064x}"}
    sources = {"method_source": f"version {kind}", "part_sources": parts}
    made = [
        sound(spec, 0.5),
        sound(spec, 0.6, **sources),
        failed(spec),
        failed(spec, "diverged", timing={"started": "2026-01-02T00:00:00+00:00", "seconds": 2.5}),
        sound(spec, 0.7, environment={"commit": None, "dirty": None, "device": "cpu", "slots": 4}),
    ]
    return made[kind]


def fully(store: Store) -> dict[str, tuple[float, Facts]]:
    """What reading every record finds."""
    return {record.run_id: facts_of(record) for record in store.records(s.run_id for s in SPECS)}


def indexed(store: Store) -> dict[str, tuple[float, Facts]]:
    found = outcomes.outcomes(store, SPECS)
    assert not found.damaged
    assert list(found.sound) == [s.run_id for s in SPECS if s.run_id in found.sound]
    return {run_id: (outcome.seconds, outcome.facts) for run_id, outcome in found.sound.items()}


@pytest.fixture(autouse=True)
def always_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "FEW", 1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(tmp_path / "runs", create=True)
    for seed in range(len(SPECS)):
        put(made, variant(seed, seed % 5), OLD + seed)
    return made


def put(store: Store, record: RunRecord, changed: int | None = None) -> None:
    path = store.write(record)
    if changed is not None:
        os.utime(path, ns=(changed, changed))


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a record was read")

    monkeypatch.setattr(Store, "content", fail)


def test_a_second_call_reads_no_record(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = fully(store)
    assert indexed(store) == wanted
    forbid_reading(monkeypatch)
    assert indexed(store) == wanted


def test_only_what_changed_is_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    indexed(store)
    put(store, variant(3, 1), OLD + 99)
    read: list[str] = []
    content = Store.content

    def noted(self: Store, run_id: str) -> bytes:
        read.append(run_id)
        return content(self, run_id)

    monkeypatch.setattr(Store, "content", noted)
    found = indexed(store)
    assert read == [SPECS[3].run_id]
    assert found == fully(store)


def test_a_file_as_young_as_the_reading_is_read_again(store: Store) -> None:
    """Its time might not tell of another change."""
    run_id, now = SPECS[0].run_id, time.time_ns()
    put(store, sound(SPECS[0], 0.5), now)
    indexed(store)
    path = store.path(run_id)
    other = sound(SPECS[0], 0.5, timing={"started": "2026-01-01T00:00:00+00:00", "seconds": 2.0})
    assert len(other.to_json()) == path.stat().st_size
    put(store, other, now)
    assert indexed(store)[run_id][0] == 2.0


@pytest.mark.parametrize("damage", ["cut", "junk", "flipped", "version", "folder", "gone"])
def test_a_damaged_index_counts_as_none(store: Store, damage: str) -> None:
    wanted = fully(store)
    indexed(store)
    path = store.root / FILE
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 255
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "version":
        whole = index.load(store.root)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(index, "VERSION", 99)
            index.save(store.root, whole)
    elif damage != "gone":
        path.write_bytes({"cut": bytes(raw[:100]), "junk": b"junk"}.get(damage, bytes(raw)))
    assert indexed(store) == wanted
    assert indexed(store) == wanted


def test_what_cannot_be_written_is_said(store: Store) -> None:
    (store.root / FILE).mkdir()
    found = outcomes.outcomes(store, SPECS)
    assert str(store.root / FILE) in found.note
    assert len(found.sound) == len(SPECS)


def test_few_records_leave_no_index(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "FEW", len(SPECS) + 1)
    assert indexed(store) == fully(store)
    assert not (store.root / FILE).exists()


def test_runs_of_other_suites_are_kept(store: Store) -> None:
    indexed(store)
    outcomes.outcomes(store, SPECS[:1])
    put(store, variant(0, 1), OLD + 99)
    outcomes.outcomes(store, SPECS[:1])
    assert len(index.load(store.root)) == len(SPECS)


def test_damaged_and_foreign_records_are_named_each_time(store: Store) -> None:
    indexed(store)
    store.path(SPECS[1].run_id).write_text("junk")
    newer = store.path(SPECS[2].run_id)
    newer.write_text(newer.read_text().replace('"schema":0', '"schema":99'))
    link = store.path(SPECS[5].run_id).parent
    for name in [p.name for p in store.root.glob("??") if p == link]:
        (store.root / name).rename(store.root.parent / name)
        (store.root / name).symlink_to(store.root.parent / name)
    found = outcomes.outcomes(store, SPECS)
    assert len(found.damaged) >= 1
    behind = [spec for spec in SPECS if store.path(spec.run_id).parent == link]
    assert all("is a link" in found.foreign[spec.run_id] for spec in behind)
    assert found.sound.keys().isdisjoint(found.foreign)
    again = outcomes.outcomes(store, SPECS)
    assert again.damaged == ()
    assert again.foreign == found.foreign


def test_many_callers_at_once_leave_an_index_that_agrees(store: Store) -> None:
    wanted = fully(store)
    found: list[dict[str, tuple[float, Facts]]] = []
    threads = [threading.Thread(target=lambda: found.append(indexed(store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 4
    assert indexed(store) == wanted
    assert sorted(p.name for p in store.root.iterdir() if p.name[0] == ".") == []


class Histories(RuleBasedStateMachine):
    """Any history of writes, replacements, removals, other suites' calls and damaged indexes."""

    def __init__(self) -> None:
        super().__init__()
        from tempfile import TemporaryDirectory

        self.folder = TemporaryDirectory()
        self.store = Store.open(Path(self.folder.name) / "runs", create=True)
        self.time = OLD

    @rule(seed=SEEDS, kind=st.integers(0, 4), aged=st.booleans())
    def write(self, seed: int, kind: int, aged: bool) -> None:
        self.time += 1
        put(self.store, variant(seed, kind), self.time if aged else None)

    @rule(seed=SEEDS, seconds=st.integers(0, 9))
    def edit_in_place(self, seed: int, seconds: int) -> None:
        path = self.store.path(SPECS[seed].run_id)
        if path.exists():
            record = self.store.read(SPECS[seed].run_id)
            assert record is not None
            changed = replace(record, timing={**record.timing, "seconds": float(seconds)})
            path.write_text(changed.to_json())

    @rule(seed=SEEDS)
    def remove(self, seed: int) -> None:
        self.store.path(SPECS[seed].run_id).unlink(missing_ok=True)

    @rule(first=SEEDS)
    def ask_for_a_part(self, first: int) -> None:
        outcomes.outcomes(self.store, SPECS[first:])

    @rule(at=st.integers(0, 10_000))
    def damage_the_index(self, at: int) -> None:
        path = self.store.root / FILE
        if path.exists():
            raw = bytearray(path.read_bytes())
            raw[at % len(raw)] ^= 1
            path.write_bytes(raw)

    @invariant()
    def agrees(self) -> None:
        assert indexed(self.store) == fully(self.store)

    def teardown(self) -> None:
        self.folder.cleanup()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=15, stateful_step_count=12)
