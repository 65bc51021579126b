"""A simulated study of many workers: the load on driver, store and file server.

Here and not in ``benchmark``, for the records that the steps are measured with are made up by
``reports``.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nlbench.benchmark.scale import dask_way, limits, shards_way, store_way
from nlbench.benchmark.scale.dask_way import DriverCosts
from nlbench.benchmark.scale.measured import driver_costs, task_cost, visits
from nlbench.benchmark.scale.store_way import FileServer, Visits
from nlbench.benchmark.scale.study import Life, MadeUp
from nlbench.benchmark.scale.tally import Result
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.speed.made_up_records import synthetic

# Runs for each worker, the spread of their times' logarithm, and records to measure with.
EACH, SPREAD, RECORDS = 10, 0.5, 24
LIFE = Life()


@dataclass(frozen=True)
class Costs:
    """What the steps of the three ways cost."""

    driver: DriverCosts
    visits: Visits
    server: FileServer


def run(
    workers: Sequence[int],
    seconds: Sequence[float],
    server: FileServer,
    seed: int,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Measure the steps here, then simulate studies.

    Args:
        workers: how many.
        seconds: mean time of a run.
        server: what is assumed of the file server.
        seed: of what is drawn.
        say: takes what the steps cost.

    Returns:
        Per kind of study and way of sharing it out what it came to; see docs/scale.md.
    """
    costs = measured(server)
    driver, files = costs.driver, vars(costs.visits).items()
    say(
        f"a driver's task {1000 * driver.task:.1f} ms, claim {1000 * driver.claim:.2f} ms, record"
        f" {1000 * driver.keep:.1f} ms, renewal {1e6 * driver.beat:.1f} us; {driver.most:,} out"
    )
    say("operations of a store: " + ", ".join(f"{name} {count:g}" for name, count in files))
    return list(table(workers, seconds, costs, seed))


def measured(server: FileServer) -> Costs:
    """What the steps cost on this machine."""
    records = synthetic(RECORDS)[1]
    with tempfile.TemporaryDirectory() as folder:
        counted = visits(Path(folder) / "counted", _apart(records))
        driver = driver_costs(Path(folder) / "timed", records)
    return Costs(replace(driver, task=task_cost()), counted, server)


def table(
    workers: Sequence[int], seconds: Sequence[float], costs: Costs, seed: int, life: Life = LIFE
) -> Iterator[dict[str, Any]]:
    """A row for each study and way."""
    for mean in seconds:
        driver = limits.most_workers(partial(limits.driver_busy, costs.driver, mean))
        files = partial(limits.server_busy, costs.visits, costs.server, mean, life.checkpoint)
        for count in workers:
            study = MadeUp.draw(count, EACH, mean, SPREAD, life, seed)
            # What a worker of dask has not returned is lost with it.
            alone = replace(study, life=replace(life, checkpoint=math.inf))
            ways = (
                ("dask", dask_way.simulate(alone, costs.driver), driver),
                (
                    "store",
                    store_way.simulate(study, costs.visits, costs.server),
                    limits.most_workers(files),
                ),
                ("shards", shards_way.simulate(study, costs.driver.keep), None),
            )
            for way, result, most in ways:
                yield {
                    "s/run": mean,
                    "workers": count,
                    "way": way,
                    **_row(result, study),
                    "bears": most,
                }


def _row(result: Result, study: MadeUp) -> dict[str, Any]:
    return {
        "times ideal": round(result.seconds / study.ideal, 2),
        "% waiting": round(100 * result.tally.waiting, 1),
        "% driver": round(100 * result.driver, 1),
        "% server": round(100 * result.server, 1),
        "% lost": round(100 * result.tally.loss, 2),
    }


def _apart(records: Sequence[RunRecord]) -> list[RunRecord]:
    """Three whose files are in different folders."""
    return list({record.run_id[:2]: record for record in records}.values())[:3]
