"""What the steps of the real code cost: seconds here, and calls of the file system."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.cluster import FETCH, connected
from nlbench.benchmark.executors.dask import SEND, SPARE
from nlbench.benchmark.executors.executor import CHECKPOINTS, Order, Worker
from nlbench.benchmark.executors.sharing import tidy
from nlbench.benchmark.machine.open_files import most_open_files
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.watch import Watch
from nlbench.benchmark.scale.calls import counted
from nlbench.benchmark.scale.dask_way import DriverCosts
from nlbench.benchmark.scale.store_way import FOLDERS, Visits
from nlbench.benchmark.store.claims import Held
from nlbench.benchmark.store.outcomes import outcomes
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.store.verified import verified
from nlbench.benchmark.training.checkpoint import Checkpoints
from nlbench.noise import whole

T = TypeVar("T")
# Runs of a worker's part, for what a look at them costs.
PART = 10
# Names of files that a file server lists at a time.
NAMES = 100
ANOTHER = '{"host": "another", "machine": "another", "process": 1}'


def driver_costs(root: Path, records: Sequence[RunRecord], task: float = SEND) -> DriverCosts:
    """Seconds that the process which drives takes, waiting for its disk with it.

    Args:
        root: an empty folder.
        records: sound ones of different runs, some dozens.
        task: what a task and its answer take.
    """
    worker = Worker(Store.open(root / "runs", create=True), Context(None, "cpu", 1))
    texts = [record.to_json().encode() for record in records]
    orders = [Order((record.spec,), {}) for record in records]
    with Held(worker.claims, beat=1e9) as held:
        claim = _each(lambda order: worker.take(order, held), orders)
        beat = _each(lambda _: held.renew(), range(100)) / len(held)

        def keep(text: bytes) -> None:
            record = verified(text)
            worker.write(record)
            held.release([record.run_id])

        return DriverCosts(task, claim, _each(keep, texts), beat, most_open_files() - SPARE)


def visits(root: Path, records: Sequence[RunRecord]) -> Visits:
    """Calls of the file system.

    Args:
        root: an empty folder.
        records: three sound ones of runs in different folders.
    """
    one, two, three = records
    start = _calls(lambda: _start(root / "new"))
    worker = Worker(Store.open(root / "runs", create=True), Context(None, "cpu", 1))
    store, claims = worker.store, worker.claims
    bare = _calls(lambda: list(store.ids()))
    for known in (two, three):  # the folders of claims and records are there from then on
        worker.write(known)
    folder = (_calls(lambda: list(store.ids())) - bare) / 2
    store.path(one.run_id).parent.mkdir()
    order, another = Order((one.spec,), {}), claims.folder / f"{one.run_id}.claim"
    with Held(claims, beat=1e9) as held:
        whole.write_text(another, ANOTHER)
        taken = _calls(lambda: worker.take(order, held))
        another.unlink()
        claim = _calls(lambda: worker.take(order, held))
        beat = _calls(held.renew)
        record = _calls(lambda: worker.write(one))
        record += _calls(lambda: held.release([one.run_id]))
        done = _calls(lambda: worker.take(order, held))
    bare, unread = (_calls(partial(outcomes, store, specs)) for specs in ([], [two.spec]))
    part = [f"{number:02x}{number:014x}" for number in range(PART)]
    for run_id in part:
        store.path(run_id).parent.mkdir(exist_ok=True)
    watched = Watch(store, part)
    saved = Checkpoints(store.root / CHECKPOINTS, 1.0).of(one.run_id, {})
    saved.save({})
    return Visits(
        start=start,
        folders=FOLDERS * folder,
        name=1 / NAMES,
        read=unread - bare - folder,
        claim=claim,
        done=done,
        taken=taken,
        record=record,
        checkpoint=_calls(lambda: saved.save({})),
        beat=beat,
        look=_calls(lambda: list(watched.look())),
    )


def task_cost(tasks: int = 100) -> float:
    """Seconds of a processor for a task of dask and its answer, scheduler and caller together.

    Where dask is not installed, what it was where this was written.
    """
    try:
        from distributed import LocalCluster
    except ImportError:
        return SEND
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as local,
        connected(local.scheduler_address) as cluster,
    ):
        (worker,) = cluster.there()
        for number in range(tasks + 1):
            if number == 1:  # the first has the worker import what it needs
                begun = time.process_time()
            cluster.ask(worker, len, b"")
            if (answer := cluster.answered(FETCH)) is None:
                raise UserError("bench workers: a dask worker on this machine does not answer")
            cluster.result(answer[1])
        return (time.process_time() - begun) / tasks


def _start(root: Path) -> None:
    """What a call does with a store before it trains, where there are no records."""
    store = Store.open(root, create=True)
    outcomes(store, ())
    tidy(store)
    Watch(store, ())


def _calls(step: Callable[[], object]) -> float:
    with counted() as found:
        step()
    return float(found.total())


def _each(step: Callable[[T], object], things: Iterable[T]) -> float:
    """Seconds of a step; of the quicker ones, for other work on this machine makes some slow."""
    taken: list[float] = []
    for thing in things:
        begun = time.perf_counter()
        step(thing)
        taken.append(time.perf_counter() - begun)
    return float(np.quantile(taken, 0.1))
