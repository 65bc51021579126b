"""Files that other processes write while this one goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import joblib

Job = Callable[[], None]


@contextmanager
def background(jobs: Iterable[Job], workers: int) -> Iterator[None]:
    """Hand all jobs over, in order; leaving the context waits until they are done.

    A job is sent as soon as it comes out of ``jobs``, so that others work on it while this process
    makes the next one.

    Args:
        jobs: what to call, without a result; each must be picklable.
        workers: processes; with 1 this process calls each job before it takes the next.

    Raises:
        Exception: whatever a job raises.
    """
    if workers == 1:
        for job in jobs:
            job()
        yield
        return
    pool = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", pre_dispatch="all")
    pending = pool((job, (), {}) for job in jobs)
    yield
    for _ in pending:
        pass
