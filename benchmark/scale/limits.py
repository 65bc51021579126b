"""Where each way ends, by what a run costs: the simulation is held against these."""

from __future__ import annotations

from collections.abc import Callable

from nlbench.benchmark.executors.dask import BUSY, SEND, TASK
from nlbench.benchmark.scale.dask_way import DriverCosts
from nlbench.benchmark.scale.store_way import FileServer, Visits

MOST = 10**7


def driver_busy(costs: DriverCosts, seconds: float, workers: int) -> float:
    """Share of its time for which a driver works while so many train runs of so many seconds."""
    task = max(TASK, workers * SEND / BUSY)
    together = max(1, min(int(task / seconds), costs.most // workers))
    return workers / seconds * (costs.run(seconds * together) + costs.task / together)


def server_busy(
    visits: Visits, server: FileServer, seconds: float, checkpoint: float, workers: int
) -> float:
    """The same of a file server, starts and ends of calls left out."""
    each = visits.run(seconds, checkpoint) / seconds + visits.beside(workers, server)
    return workers * each / server.rate


def server_opening(visits: Visits, server: FileServer, workers: int, records: int) -> float:
    """Seconds of a file server where all begin a call on a store of so many records at once."""
    each = visits.start + visits.folders + visits.name * (records + workers)
    return workers * each / server.rate


def most_workers(busy: Callable[[int], float]) -> int:
    """The most of whom that share is below one; it grows with them."""
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if busy(middle) < 1 else (low, middle)
    return low
