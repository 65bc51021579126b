"""How far a suite is: its cells of condition and method, and how many of their runs are done."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from nlbench.benchmark.runs import plan
from nlbench.benchmark.runs.plan import Plan
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites.suite import Suite


@dataclass(frozen=True)
class Status:
    """How far a suite is.

    Attributes:
        plan: what is done and to do.
        cells: (condition, method) -> how many runs are done, and how many there are to be.
    """

    plan: Plan
    cells: dict[tuple[str, str], tuple[int, int]]


def suite_status(suite: Suite, store: Store) -> Status:
    """Compare a suite with a store; sets damaged records aside."""
    found = plan.make(suite, store)
    done: dict[tuple[str, str], int] = defaultdict(int)
    runs: dict[tuple[str, str], int] = defaultdict(int)
    for spec in suite.specs:
        cell = f"{spec.dataset.name} {spec.model} {spec.profile} {spec.noise}", spec.method.name
        runs[cell] += 1
        done[cell] += spec.run_id in found.done
    return Status(found, {cell: (done[cell], count) for cell, count in runs.items()})
