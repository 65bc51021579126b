"""What an executor is, and what it gets: packs of runs and a worker that trains one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from nlbench.benchmark.machine.allocator import keep_memory
from nlbench.benchmark.runs.run import Context, train_pack
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.store import Store

Pack = tuple[RunSpec, ...]
T = TypeVar("T")
# Runs are grouped into packs within windows of WINDOW times the pack size, so that the order of a
# suite is roughly kept.
WINDOW = 4


class Executor(Protocol):
    """Calls ``work`` on each pack, in any order and on any machine with access to the store."""

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """Return when all are done."""
        ...


@dataclass(frozen=True)
class Worker:
    """Train a pack and write its records: all a worker process is sent, besides the specs.

    Each record is written by the worker as soon as its run ends, so nothing is lost with the
    parent.
    """

    store: Store
    context: Context

    def __call__(self, runs: RunSpec | Pack) -> None:
        """Train and write."""
        keep_memory()
        for record in train_pack((runs,) if isinstance(runs, RunSpec) else runs, self.context):
            self.store.write(record)
            if self.context.checkpoints is not None:
                self.context.checkpoints.path(record.run_id).unlink(missing_ok=True)


def packs(specs: Sequence[RunSpec], size: int) -> list[Pack]:
    """Specs in packs of one pack key and at most ``size``, nearly in the order they came in."""
    made: list[Pack] = []
    for start in range(0, len(specs), size * WINDOW):
        groups: dict[object, list[RunSpec]] = {}
        for spec in specs[start : start + size * WINDOW]:
            groups.setdefault(spec.pack_key, []).append(spec)
        for group in groups.values():
            made += [tuple(group[i : i + size]) for i in range(0, len(group), size)]
    return made
