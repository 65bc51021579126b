"""Work made ahead by a second thread: the same bits, errors in their place, nothing too early."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from nlbench.benchmark.runs import prepare, run
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.run import train, train_pack
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.training import Backend, GraphBackend, LoopBackend, StackBackend
from nlbench.benchmark.training.ahead import one_ahead
from nlbench.benchmark.training.interleave import Pack, Steps
from nlbench.benchmark.training.task import Ended, Job, Task
from tests.helpers.runs import HERE, tiny

AHEAD = replace(HERE, ahead=True)


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_items_come_in_order_and_at_most_one_is_waiting(thread: ThreadPoolExecutor) -> None:
    made: list[tuple[int, str]] = []

    def items() -> Iterator[int]:
        for number in range(5):
            made.append((number, threading.current_thread().name))
            yield number

    seen = []
    for number in one_ahead(items(), thread):
        thread.submit(int).result()  # whatever was asked of the thread is done
        assert len(made) == min(number + 2, 5)
        seen.append(number)
    assert seen == list(range(5))
    assert threading.current_thread().name not in {name for _, name in made}


def test_an_error_is_raised_where_its_item_would_have_been(thread: ThreadPoolExecutor) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second item")

    found = one_ahead(items(), thread)
    assert next(found) == 1
    with pytest.raises(ValueError, match="no second item"):
        next(found)


def test_closing_waits_for_the_item_being_made(thread: ThreadPoolExecutor) -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(3):
            time.sleep(0.05)
            made.append(number)
            yield number

    source = items()
    found = one_ahead(source, thread)
    next(found)
    found.close()
    before = list(made)
    assert [*before, *source] == [0, 1, 2], "the owner goes on with the items"


SPECS = [
    tiny(method, model="cnn_small", noise=noise, augment="crop_flip", seed=seed)
    for noise in ("symmetric:0.4", "instance:0.4:scale=unit")
    for seed in (0, 1)
    for method in ("ce", "drainage")
]


@pytest.mark.parametrize("backend", [LoopBackend(), GraphBackend(3, capture=False), StackBackend()])
def test_runs_prepared_ahead_have_the_same_bits(backend: Backend) -> None:
    here = {r.run_id: r.science() for r in train_pack(SPECS, HERE, backend)}
    ahead = {r.run_id: r.science() for r in train_pack(SPECS, AHEAD, backend)}
    assert here == ahead
    assert all(record["status"] == "ok" for record in here.values())


def _noting(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """Whose labels and weights were drawn, in order, and whether by another thread."""
    drawn: list[tuple[int, bool]] = []
    original = prepare.draw

    def draw(spec: RunSpec, context: Context) -> prepare.Drawn:
        drawn.append((spec.seed, threading.current_thread() is not threading.main_thread()))
        return original(spec, context)

    for module in (prepare, run):
        monkeypatch.setattr(module, "draw", draw)
    return drawn


def test_all_but_the_first_are_drawn_by_the_other_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = _noting(monkeypatch)
    specs = [tiny(seed=seed) for seed in range(4)]
    assert len(list(train_pack(specs, AHEAD, GraphBackend(2, capture=False)))) == 4
    assert drawn == [(0, False), (1, True), (2, True), (3, True)]


def test_without_a_card_nothing_is_drawn_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = _noting(monkeypatch)
    assert len(list(train_pack([tiny(seed=seed) for seed in range(2)], HERE))) == 2
    assert drawn == [(0, False), (1, False)]


def test_a_run_that_cannot_be_drawn_fails_alone() -> None:
    broken = replace(tiny(), noise="asymmetric:0.4:map=no-such-map.json")
    records = list(train_pack([tiny(seed=1), broken, tiny(seed=2)], AHEAD))
    assert [record.status for record in records] == ["ok", "failed", "ok"]
    assert "no-such-map" in (records[1].error or {})["message"]
    assert records[2].science() == train(tiny(seed=2), HERE).science()


class _Twice(GraphBackend):
    """Starts the second of its runs over, as a pack does whose memory ran out."""

    def train_pack(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        def twice(job: Job) -> Task:
            job()
            return job()

        return Pack(_steps, 1).run(
            (lambda job=job: twice(job)) if number == 1 else job  # type: ignore[misc]
            for number, job in enumerate(jobs)
        )


def _steps(task: Task) -> Steps:
    yield
    return LoopBackend().train(task)


def test_a_run_that_starts_over_is_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = _noting(monkeypatch)
    specs = [tiny(seed=seed) for seed in range(3)]
    records = list(train_pack(specs, AHEAD, _Twice(1)))
    assert sorted(drawn) == [(0, False), (1, False), (1, True), (2, True)]
    assert [r.science() for r in records] == [train(s, HERE).science() for s in specs]


def test_what_was_drawn_ahead_is_not_begun_after_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = _noting(monkeypatch)
    until = time.time() + 3600
    records = train_pack([tiny(seed=0), tiny(seed=1)], replace(AHEAD, until=until))
    assert next(records).spec.seed == 0
    monkeypatch.setattr(time, "time", lambda: until + 1)
    assert list(records) == []
    assert [seed for seed, _ in drawn] == [0, 1]


@pytest.mark.parametrize("backend", [LoopBackend(), GraphBackend(2, capture=False)])
def test_the_steps_of_the_first_epoch_are_timed(backend: Backend) -> None:
    record = train(tiny(), HERE, backend)
    first = record.timing["first_epoch"]
    assert first["steps"] == 7  # 200 images in batches of 32
    assert 0 < first["seconds"] < record.timing["seconds"]
    assert "first_epoch" not in record.science()
