"""Executors: how the missing runs of a suite get done. Each only calls a worker on packs."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import joblib
import torch
from joblib.parallel import BACKENDS

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.machine.allocator import keep_memory
from nlbench.benchmark.runs.run import Context, train_pack
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.store import Store

Pack = tuple[RunSpec, ...]
T = TypeVar("T")
# Packs are put together from so many times their size, so that the order of a suite stays roughly.
WINDOW = 4


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


class Executor(Protocol):
    """Calls ``work`` on each pack, in any order and on any machine that sees the store."""

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """Return when all are done."""
        ...


@dataclass(frozen=True)
class Serial:
    """One pack after the other in this process."""

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """See :class:`Executor`."""
        for pack in packs:
            work(pack)


@dataclass(frozen=True)
class Joblib:
    """joblib with any backend it knows (loky, threading, multiprocessing, dask, ...).

    Attributes:
        backend: joblib's name of it.
        workers: number of workers.
    """

    backend: str
    workers: int

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """See :class:`Executor`."""
        with joblib.parallel_config(backend=self.backend):
            joblib.Parallel(n_jobs=self.workers, batch_size=1)(
                joblib.delayed(work)(pack) for pack in packs
            )


@dataclass(frozen=True)
class Gpus:
    """One process per GPU; each takes the next pack as soon as it is free.

    A process sees its own GPU alone, as ``cuda:0``: the choice stands in its environment before it
    starts, for CUDA reads it only once.

    Attributes:
        visible: what CUDA_VISIBLE_DEVICES is set to in each process.
    """

    visible: tuple[str, ...]

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """See :class:`Executor`.

        Raises:
            RuntimeError: a process died; the others were let go on to the end.
        """
        spawn = multiprocessing.get_context("spawn")
        queue = spawn.Queue()
        for item in (*packs, *[None] * len(self.visible)):
            queue.put(item)
        processes = []
        for device in self.visible:
            with _environment("CUDA_VISIBLE_DEVICES", device):
                process = spawn.Process(target=_pull, args=(work, queue))
                process.start()
            processes.append(process)
        for process in processes:
            process.join()
        queue.cancel_join_thread()  # what a dead process left in it would be waited for
        dead = {d: p.exitcode for d, p in zip(self.visible, processes, strict=True) if p.exitcode}
        if dead:
            raise RuntimeError(f"exit status by GPU: {dead}")


def gpus(text: str) -> tuple[str, ...]:
    """The GPUs of ``--gpus``: ``all``, or the first N; within CUDA_VISIBLE_DEVICES if that is set.

    Raises:
        UserError: not a number, no GPU here, or fewer than asked for.
    """
    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    ids = [str(i) for i in range(count)] if visible is None else visible.split(",")[:count]
    if count == 0:
        raise UserError(f"--gpus {text}: torch {torch.__version__} sees no CUDA GPU here")
    if text == "all":
        return tuple(ids)
    if not text.isdecimal() or not 1 <= int(text) <= count:
        raise UserError(f"--gpus {text!r} should be 'all' or a number from 1 to {count}")
    return tuple(ids[: int(text)])


def _pull(work: Callable[[T], None], queue: multiprocessing.Queue[T | None]) -> None:
    while (pack := queue.get()) is not None:
        work(pack)


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def create(name: str, workers: int) -> Executor:
    """``auto`` (serial for one worker, else loky), ``serial``, or a joblib backend by its name.

    Raises:
        UserError: a name joblib does not know; it registers ``dask`` and ``ray`` when those
            libraries are imported.
    """
    if name == "auto":
        name = "serial" if workers == 1 else "loky"
    if name == "serial":
        if workers != 1:
            raise UserError(f"executor serial has one worker; --workers {workers} needs another")
        return Serial()
    try:
        with joblib.parallel_config(backend=name):
            return Joblib(name, workers)
    except ValueError as error:
        raise unknown("executor", name, ("auto", "serial", *BACKENDS), "--executor") from error


def check_threads(workers: int, threads: int, cores: int) -> None:
    """Refuse more busy threads than cores: it costs a factor of two and more (UserError)."""
    if workers < 1 or threads < 1:
        raise UserError(f"--workers {workers} and --threads {threads} must be at least 1")
    if workers * threads > cores:
        raise UserError(
            f"--workers {workers} x --threads {threads} = {workers * threads} is more than the"
            f" {cores} cores here; lower one of them"
        )
