"""Executors of one machine and of joblib's clusters: serial, or any backend of joblib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import joblib

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.executor import T


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
class Joblib:
    """joblib with any of its backends (loky, threading, multiprocessing, dask, ...).

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
