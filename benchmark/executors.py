"""Executors: how the missing runs of a suite get done. Each only calls a worker on each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import joblib
from joblib.parallel import BACKENDS

from benchmark.errors import UserError, unknown
from benchmark.spec import RunSpec
from benchmark.store import Store
from benchmark.training import Context, train

Work = Callable[[RunSpec], None]


@dataclass(frozen=True)
class Worker:
    """Train one run and write its record: all a worker process is sent, besides the spec.

    The record is written by the worker as soon as the run ends, so nothing is lost with the parent.
    """

    store: Store
    context: Context

    def __call__(self, spec: RunSpec) -> None:
        """Train and write."""
        self.store.write(train(spec, self.context))


class Executor(Protocol):
    """Calls ``work`` on each spec, in any order and on any machine that sees the store."""

    def run(self, work: Work, specs: Sequence[RunSpec]) -> None:
        """Return when all are done."""
        ...


@dataclass(frozen=True)
class Serial:
    """One run after the other in this process."""

    def run(self, work: Work, specs: Sequence[RunSpec]) -> None:
        """See :class:`Executor`."""
        for spec in specs:
            work(spec)


@dataclass(frozen=True)
class Joblib:
    """joblib with any backend it knows (loky, threading, multiprocessing, dask, ...).

    Attributes:
        backend: joblib's name of it.
        workers: number of workers.
    """

    backend: str
    workers: int

    def run(self, work: Work, specs: Sequence[RunSpec]) -> None:
        """See :class:`Executor`."""
        with joblib.parallel_config(backend=self.backend):
            joblib.Parallel(n_jobs=self.workers, batch_size=1)(
                joblib.delayed(work)(spec) for spec in specs
            )


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
