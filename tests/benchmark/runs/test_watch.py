"""Records that appear are found, at a cost that does not depend on how many are waited for."""

from __future__ import annotations

import os
import time
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlbench.benchmark.runs import watch
from nlbench.benchmark.runs.progress import Progress, until_next
from nlbench.benchmark.runs.watch import Watch
from nlbench.benchmark.store.store import Store
from tests.helpers.records import failed, sound
from tests.helpers.runs import tiny

SPECS = tuple(tiny(seed=seed) for seed in range(30))
IDS = [spec.run_id for spec in SPECS]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "runs", create=True)


def test_new_and_replaced_records_are_told_and_old_ones_are_not(store: Store) -> None:
    for spec in SPECS[:3]:
        store.write(sound(spec))
    watched = Watch(store, IDS)
    assert list(watched.look()) == []
    store.write(sound(SPECS[1], 0.7))
    store.write(sound(SPECS[9]))
    assert set(watched.look()) == {IDS[1], IDS[9]}
    for run_id in (IDS[1], IDS[9]):
        watched.done(run_id)
    assert list(watched.look()) == []


def test_a_quick_look_asks_no_file_where_nothing_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for spec in SPECS:
        store.write(sound(spec))
    many = [f"{prefix:02x}{run:014x}" for prefix in range(256) for run in range(200)]
    watched = Watch(store, [*IDS, *many])
    monkeypatch.setattr(watch, "COARSE", 0.0)
    for _ in range(2):  # once more, for times may be coarse
        list(watched.look(60.0))
    asked: list[str] = []
    for name in ("stat", "lstat", "listdir"):
        real = getattr(os, name)

        def noted(path: Any, *rest: Any, real: Any = real, name: str = name, **more: Any) -> Any:
            asked.append(name)
            return real(path, *rest, **more)

        monkeypatch.setattr(os, name, noted)
    assert list(watched.look(60.0)) == []
    assert asked.count("stat") == 256
    assert asked.count("listdir") == 1
    assert asked.count("lstat") <= 2


def test_a_look_without_time_goes_on_where_the_last_one_stopped(store: Store) -> None:
    watched = Watch(store, IDS)
    for spec in SPECS:
        store.write(sound(spec))
    found: set[str] = set()
    for _ in range(2 * len(IDS)):
        news = list(watched.look(0.0))
        assert len(news) <= 1
        found |= set(news)
        for run_id in news:
            watched.done(run_id)
    assert found == set(IDS)


def test_a_folder_that_tells_nothing_is_listed_in_its_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_changed", lambda _: 1)
    watched = Watch(store, IDS)
    list(watched.look(60.0))
    monkeypatch.setattr(watch, "COARSE", 1e9)
    store.write(sound(SPECS[4]))
    found = {run_id for _ in range(256) for run_id in watched.look(60.0)}
    assert found == {IDS[4]}


@settings(max_examples=20)
@given(steps=st.lists(st.tuples(st.integers(0, 29), st.sampled_from(["write", "look"]))))
def test_whatever_happens_all_that_is_new_is_told(
    steps: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store.open(tmp_path_factory.mktemp("s") / "runs", create=True)
    watched, new, found = Watch(store, IDS), set(), set()
    for at, step in steps:
        if step == "write":
            store.write(sound(SPECS[at]))
            new.add(IDS[at])
        elif step == "look":
            found |= set(watched.look(0.0 if at % 2 else 1.0))
        assert found <= new
    found |= set(watched.look())
    assert found == new


def test_progress_counts_what_ended(store: Store) -> None:
    out = StringIO()
    with Progress(store, SPECS[:3], out) as progress:
        store.write(sound(SPECS[0]))
        store.write(failed(SPECS[1]))
        store.path(IDS[2]).parent.mkdir(exist_ok=True)
        store.path(IDS[2]).write_text("junk")
    assert progress.counts == {"ok": 1, "failed": 1}
    assert "FAILED (made up)" in out.getvalue()


@pytest.mark.parametrize(
    ("took", "training", "expected"),
    [(0.001, 0, 0.5), (0.001, 8, 0.5), (0.1, 1, 2.0), (0.04, 100, 80.0), (0.1, 10_000, 600.0)],
)
def test_who_trains_on_a_slow_file_system_looks_at_it_as_rarely_as_all_together_may(
    took: float, training: int, expected: float
) -> None:
    assert until_next(took, training) == pytest.approx(expected)


def test_the_next_look_is_the_later_the_more_runs_are_in_work(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress, waited = Progress(store, SPECS[:3], StringIO()), list[float]()
    monkeypatch.setattr(progress, "_look", lambda _: time.sleep(0.05))

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) > 1

    monkeypatch.setattr(progress, "_stop", SimpleNamespace(wait=wait))
    (store.root / "claims").mkdir()
    for number in range(20):
        (store.root / "claims" / f"{number}.claim").touch()
    progress._wait()
    assert waited[0] == 0.5
    assert waited[1] >= 20.0
