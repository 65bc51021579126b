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
    done: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for spec in suite.specs:
        condition = f"{spec.dataset.name} {spec.model} {spec.profile} {spec.noise}"
        done[condition, spec.method.name].append(spec.run_id in found.done)
    return Status(found, {cell: (sum(runs), len(runs)) for cell, runs in done.items()})
