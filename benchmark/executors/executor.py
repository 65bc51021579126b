"""What an executor is, and what it gets: packs of runs and a worker that trains one."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.allocator import keep_memory
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.run import train_pack
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.claims import Claims, Held
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.benchmark.store.store import Store
from nlbench.noise import whole

Pack = tuple[RunSpec, ...]
T = TypeVar("T")
# Runs are grouped into packs within windows of WINDOW times the pack size, so that the order of a
# suite is roughly kept.
WINDOW = 4
CHECKPOINTS = "checkpoints"  # the folder of them in a store


class Executor(Protocol):
    """Calls ``work`` on each pack, or does with its parts what that does, in any order."""

    def run(self, work: Worker, packs: Sequence[Runs]) -> None:
        """Return when all are done."""
        ...


@dataclass(frozen=True)
class Order:
    """A pack to be trained.

    Attributes:
        pack: the runs.
        replaces: run id -> digest of the record that is to be replaced.
    """

    pack: Pack
    replaces: Mapping[str, str]


Runs = RunSpec | Pack | Order


@dataclass(frozen=True)
class Worker:
    """Train a pack and write its records: all a worker process is sent, besides the specs.

    Each record is written by the worker as soon as its run ends, so nothing is lost with the
    parent. What another caller has done since, or is doing, is left to it.
    """

    store: Store
    context: Context

    @property
    def claims(self) -> Claims:
        """Those of the store."""
        return Claims.of(self.store.root)

    def __call__(self, runs: Runs) -> None:
        """Train and write."""
        if self.context.late:  # many packs may be left, and a claim costs a visit to the disk
            return
        keep_memory()
        order = order_of(runs)
        with Held(self.claims) as held:
            mine = self.take(order, held)
            records = train_pack(mine, self.context, hung=self._give_up) if mine else ()
            for record in records:
                self.write(record)
                held.release([record.run_id])

    def take(self, order: Order, held: Held) -> Pack:
        """Claim what is left to do of a pack, as far as no other process has it."""
        return tuple(spec for spec in order.pack if self._take(spec, order, held))

    def write(self, record: RunRecord) -> None:
        """Write a record; what was needed to go on with its run is removed.

        Raises:
            OSError: it cannot be written.
        """
        with self.claims.exclusive(record.run_id):  # an import may be comparing it
            self.store.write(record)
        checkpoint(self.store, record.run_id).unlink(missing_ok=True)

    def _give_up(self, record: RunRecord) -> None:
        """End this process, for nothing else ends its run; that one's record is written first."""
        self.write(record)
        sys.stderr.write(f"nlbench: {record.spec} hangs: its process is ended\n")
        os._exit(1)

    def _take(self, spec: RunSpec, order: Order, held: Held) -> bool:
        """Claim a run; whether it is this process's to train."""
        run_id, old = spec.run_id, order.replaces.get(spec.run_id)
        if settled(self.store, run_id, old):
            return False
        claim = held.take(run_id)
        if claim is None:
            return False
        if settled(self.store, run_id, old):  # its last owner has just finished it
            held.release([run_id])
            return False
        if claim.inherited:
            remove_leftovers(self.store, run_id)
        return True


def settled(store: Store, run_id: str, replaces: str | None) -> bool:
    """Whether a run has a record other than the one to be replaced."""
    if replaces is None:
        return store.path(run_id).is_file()
    try:
        record = store.read(run_id)
    except DamagedRecord:
        return False
    except UserError:  # of a newer version: it is left alone
        return True
    return record is not None and digest(record) != replaces


def digest(record: RunRecord) -> str:
    """What distinguishes one record of a run from another."""
    return str(record.to_dict()["digest"])


def orders(specs: Sequence[RunSpec], size: int, replaces: Mapping[str, str]) -> list[Order]:
    """The packs of runs, each with what it replaces; see :func:`packs`."""
    return [
        Order(pack, {s.run_id: replaces[s.run_id] for s in pack if s.run_id in replaces})
        for pack in packs(specs, size)
    ]


def remove_leftovers(store: Store, run_id: str) -> None:
    """Remove what a process left that died while it trained this run, but for what goes on from it.

    Its checkpoint goes with its record: one that is newer belongs to a run that is being repeated.
    """
    record, last = store.path(run_id), checkpoint(store, run_id)
    for path in (record, last):
        whole.remove_leftovers(path)
    with contextlib.suppress(FileNotFoundError):
        if last.stat().st_mtime_ns <= record.stat().st_mtime_ns:
            last.unlink()


def checkpoint(store: Store, run_id: str) -> Path:
    """Where the checkpoint of a run is, or would be."""
    return store.root / CHECKPOINTS / f"{run_id}.pt"


def order_of(runs: Runs) -> Order:
    """One that replaces nothing, unless it is one already."""
    if isinstance(runs, Order):
        return runs
    return Order((runs,) if isinstance(runs, RunSpec) else runs, {})


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
