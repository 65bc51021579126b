"""Executors of one machine and of joblib's backends: serial, processes, or a backend of joblib."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import joblib

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.executor import T
from nlbench.benchmark.machine.parent import end_worker_with

# Packs that wait beside each worker, so that none waits for the parent.
AHEAD = 2


@dataclass(frozen=True)
class Serial:
    """One pack after the other in this process."""

    @classmethod
    def of(cls, workers: int) -> Serial:
        """It; UserError: more than one worker."""
        if workers != 1:
            raise UserError(f"executor serial has one worker; --workers {workers} needs another")
        return cls()

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """See :class:`Executor`."""
        for pack in packs:
            work(pack)


@dataclass(frozen=True)
class Processes:
    """Processes of the standard library.

    joblib's backend ``multiprocessing`` waits for ever for a worker that was killed; this one does
    not, so it has the name.

    Attributes:
        workers: number of processes.
    """

    workers: int

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """See :class:`Executor`.

        Raises:
            BrokenProcessPool: a process was killed; the others were ended.
        """
        pool = ProcessPoolExecutor(
            self.workers,
            multiprocessing.get_context("spawn"),
            initializer=end_worker_with,
            initargs=(os.getpid(),),
        )
        waiting, running = iter(packs), set[Future[None]]()
        try:
            while True:
                room = AHEAD * self.workers - len(running)
                running |= {pool.submit(work, pack) for pack in itertools.islice(waiting, room)}
                if not running:
                    break
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        except BaseException:
            _kill(pool)
            raise
        pool.shutdown()


@dataclass(frozen=True)
class Joblib:
    """joblib with any of its backends (loky, threading, ...).

    Attributes:
        backend: joblib's name of it.
        workers: number of workers.
    """

    backend: str
    workers: int

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """See :class:`Executor`."""
        started: dict[str, Any] = {}
        if self.backend == "loky":  # its workers are children of this process
            started = {"initializer": end_worker_with, "initargs": (os.getpid(),)}
        with joblib.parallel_config(backend=self.backend, **started):
            joblib.Parallel(n_jobs=self.workers, batch_size=1)(
                joblib.delayed(work)(pack) for pack in packs
            )


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool with what they do, which it has no public way for before 3.14."""
    for process in list((pool._processes or {}).values()):
        process.kill()
    pool.shutdown(cancel_futures=True)
