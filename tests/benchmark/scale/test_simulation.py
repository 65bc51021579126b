"""The simulated studies against what is known of queues and of work that is interrupted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from nlbench.benchmark.executors.dask import bundle
from nlbench.benchmark.runs.preemption import expected, expected_in_parts
from nlbench.benchmark.scale import dask_way, limits, shards_way, store_way
from nlbench.benchmark.scale.dask_way import DriverCosts
from nlbench.benchmark.scale.events import Clock, Process, Server
from nlbench.benchmark.scale.store_way import FileServer, Visits
from nlbench.benchmark.scale.study import Life, MadeUp
from nlbench.benchmark.scale.tally import Result

FOREVER = Life(failure=math.inf, preemption=math.inf)
COSTS = DriverCosts(task=0.012, claim=0.0002, keep=0.004, beat=2e-6, most=10**6)
FREE = DriverCosts(task=0.0, claim=0.0, keep=0.0, beat=0.0, most=10**6)
VISITS = Visits(
    start=32, folders=1280, name=0.01, read=6, claim=8, done=1, taken=15, record=32,
    checkpoint=19, beat=1, look=30,
)  # fmt: skip
SERVER = FileServer(rate=20_000.0, latency=0.001)
WAYS: dict[str, Callable[[MadeUp], Result]] = {
    "dask": lambda study: dask_way.simulate(study, COSTS),
    "store": lambda study: store_way.simulate(study, VISITS, SERVER),
    "shards": lambda study: shards_way.simulate(study, 0.004),
}


def equal_runs(workers: int, each: int, seconds: float, life: Life = FOREVER) -> MadeUp:
    return MadeUp(workers, np.full(workers * each, seconds), life)


def pace(found: Result) -> float:
    """Runs a second, once all are at work and before the last are shared out."""
    ends = found.tally.ends
    first, last = len(ends) // 20, len(ends) * 13 // 20
    return (last - first) / (ends[last] - ends[first])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(3))
def test_every_run_is_done_once_whatever_happens(way: str, seed: int) -> None:
    life = Life(failure=400.0, preemption=200.0, away=30.0, checkpoint=20.0)
    study = MadeUp.draw(20, 10, 60.0, 0.5, life, seed)
    found, again = WAYS[way](study), WAYS[way](study)
    assert len(found.tally.ends) == 200
    assert found.tally.trained == pytest.approx(study.seconds.sum())
    assert found.tally.lost > 0
    assert found.tally.away > 0
    assert found.seconds >= study.ideal
    assert found == again


@pytest.mark.parametrize("way", WAYS)
def test_one_worker_alone_takes_the_time_of_its_runs_and_little_more(way: str) -> None:
    found = WAYS[way](equal_runs(1, 20, 100.0))
    assert found.seconds == pytest.approx(2000.0, rel=0.005)
    assert found.tally.lost == 0


@pytest.mark.parametrize("checkpoint", [math.inf, 2.0])
def test_interruptions_cost_what_the_formula_says(checkpoint: float) -> None:
    """M (e^(T/M) - 1), of work in parts where there are checkpoints."""
    life = Life(failure=5.0, preemption=math.inf, away=0.0, checkpoint=checkpoint)
    ends = shards_way.simulate(equal_runs(4000, 1, 9.0, life), 0.0).tally.ends
    error = float(np.std(ends)) / math.sqrt(len(ends))
    wanted = expected_in_parts(9.0, 5.0, min(checkpoint, 9.0))
    assert abs(float(np.mean(ends)) - wanted) < 4 * error
    if math.isinf(checkpoint):
        assert wanted == pytest.approx(expected(9.0, 5.0))


def test_a_task_of_dask_is_lost_as_a_whole() -> None:
    life = Life(failure=math.inf, preemption=3.0, away=0.0)
    times = [
        dask_way.simulate(replace(equal_runs(1, 1, 4.0, life), seed=seed), FREE).seconds
        for seed in range(1500)
    ]
    error = float(np.std(times)) / math.sqrt(len(times))
    assert abs(float(np.mean(times)) - expected(4.0, 3.0)) < 4 * error


@pytest.mark.parametrize("load", [0.3, 0.8])
def test_a_server_lets_wait_as_long_as_a_queue_does(load: float) -> None:
    """M/D/1: the mean wait is load / (2 (1 - load)) services."""
    draws = np.random.Generator(np.random.Philox(3))
    arrivals = np.cumsum(draws.exponential(1 / load, 60_000))
    server = Server()
    waits = [server.serve(now, 1.0) - now - 1.0 for now in arrivals.tolist()]
    assert float(np.mean(waits)) == pytest.approx(load / (2 * (1 - load)), rel=0.1)
    assert server.busy == pytest.approx(60_000)


def test_processes_go_on_in_the_order_of_their_times() -> None:
    seen: list[tuple[str, float]] = []

    def process(name: str, *times: float) -> Process:
        for at in times:
            now = yield at
            seen.append((name, now))

    clock = Clock()
    clock.start(process("a", 1.0, 4.0))
    clock.start(process("b", 2.0, 3.0, math.inf, 0.0))
    assert clock.run() == 4.0
    assert seen == [("a", 1.0), ("b", 2.0), ("b", 3.0), ("a", 4.0)]


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_driver_that_is_full_bears_one_run_for_the_cost_of_one(seconds: float) -> None:
    most = limits.most_workers(partial(limits.driver_busy, COSTS, seconds))
    workers = 2 * most
    found = dask_way.simulate(equal_runs(workers, 200, seconds), COSTS)
    wanted = workers / seconds / limits.driver_busy(COSTS, seconds, workers)
    assert pace(found) == pytest.approx(wanted, rel=0.1)
    assert found.driver > 0.95
    few = most // 4
    found = dask_way.simulate(equal_runs(few, 200, seconds), COSTS)
    assert found.driver == pytest.approx(limits.driver_busy(COSTS, seconds, few), rel=0.15)
    assert found.tally.waiting < 0.1


def test_longer_tasks_bear_more_workers_until_records_fill_the_driver() -> None:
    """However many runs are in a task, each record is checked and written."""
    alone = replace(COSTS, most=0)  # a task for each run
    for seconds in (0.5, 5.0):
        bears = limits.most_workers(partial(limits.driver_busy, COSTS, seconds))
        assert bears > limits.most_workers(partial(limits.driver_busy, alone, seconds))
        assert bears <= seconds / COSTS.run(seconds)
    assert bundle(5.0, 10**6, 1000, 10**6) == 6


def test_a_file_server_that_is_full_bears_its_rate_over_the_operations_of_a_run() -> None:
    visits = replace(VISITS, start=0, folders=0, name=0)  # what a run costs, and nothing else
    most = limits.most_workers(partial(limits.server_busy, visits, SERVER, 1.0, math.inf))
    assert most == pytest.approx(20_000 / (8 + 32), rel=0.05)
    found = store_way.simulate(equal_runs(2 * most, 20, 1.0), visits, SERVER)
    busy = limits.server_busy(visits, SERVER, 1.0, math.inf, 2 * most)
    assert pace(found) == pytest.approx(2 * most / busy, rel=0.1)
    assert found.server > 0.9
    found = store_way.simulate(equal_runs(most // 4, 40, 1.0), visits, SERVER)
    busy = limits.server_busy(visits, SERVER, 1.0, math.inf, most // 4)
    assert found.server == pytest.approx(busy, rel=0.15)


def test_nobody_helps_a_late_shard() -> None:
    """The others of a store take what is left of it."""
    seconds = np.ones(40)
    seconds[::4] = 50.0  # all long runs are one worker's
    study = MadeUp(4, seconds, FOREVER)
    assert shards_way.simulate(study, 0.0).seconds == 500.0
    assert store_way.simulate(study, VISITS, SERVER).seconds < 200.0


def test_runs_have_the_mean_that_was_asked_for() -> None:
    study = MadeUp.draw(100, 500, 60.0, 0.5, FOREVER, 0)
    assert float(study.seconds.mean()) == pytest.approx(60.0, rel=0.02)
    assert float(np.log(study.seconds).std()) == pytest.approx(0.5, rel=0.02)
    assert study.ideal == pytest.approx(500 * 60.0, rel=0.02)
