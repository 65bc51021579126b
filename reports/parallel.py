"""Work that other processes do while this one goes on, and garbage collection meanwhile.

A report holds many records: nothing in them is garbage, but there is much to search.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib

from nlbench.benchmark.machine.parent import end_worker_with
from nlbench.reports.errors import ReportError

Job = Callable[[], Any]


def results(jobs: Iterable[Job], workers: int, ahead: str = "all") -> Iterator[Any]:
    """What the jobs return, in order.

    A job is sent as soon as it comes out of ``jobs``, so that others work on it while this process
    makes the next one.

    Args:
        jobs: what to call; each must be picklable, and so must its result.
        workers: processes; with 1 this process calls each job before it takes the next.
        ahead: how many jobs are sent before the first result is asked for, see joblib.

    Raises:
        ReportError: a process was killed.
        Exception: whatever a job raises.
    """
    if workers == 1:
        return iter([job() for job in jobs])
    # A call that is killed leaves no process, and the processes of one call serve the next.
    with joblib.parallel_config("loky", initializer=end_worker_with, initargs=(os.getpid(),)):
        pool = joblib.Parallel(
            n_jobs=workers, return_as="generator", pre_dispatch=ahead, max_nbytes=None
        )
    here = Path.cwd()
    return _received(pool((_called_in, (here, job), {}) for job in jobs))


def _called_in(folder: Path, job: Job) -> Any:
    """Processes are kept from call to call; this one may have gone elsewhere since they began."""
    os.chdir(folder)
    return job()


def _received(found: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from found
    except BrokenProcessPool as error:
        raise ReportError(
            "a process that worked on the report was killed, perhaps for lack of memory; with"
            " --workers 1 there is none but the main one"
        ) from error


@contextmanager
def background(jobs: Iterable[Job], workers: int) -> Iterator[None]:
    """Hand all jobs over; leaving the context waits until they are done. See :func:`results`."""
    pending = results(jobs, workers)
    yield
    for _ in pending:
        pass


@contextmanager
def collector_spared() -> Iterator[None]:
    """Within: garbage is sought only among what is made within, not in what is there already."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
