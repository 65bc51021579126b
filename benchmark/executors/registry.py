"""Executors by name; a new one is a file beside this one and a line in ``NAMED``."""

from __future__ import annotations

from collections.abc import Callable

import joblib
from joblib.parallel import BACKENDS

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.executors.executor import Executor
from nlbench.benchmark.executors.local import Joblib, Processes, Serial

AUTO = "auto"
# Name -> what makes the executor of so many workers (UserError: it cannot have so many). Any other
# name is looked up among joblib's backends.
NAMED: dict[str, Callable[[int], Executor]] = {
    "serial": Serial.of,
    "multiprocessing": Processes,
}


def create(name: str, workers: int) -> Executor:
    """``auto`` (serial for one worker, else loky), a name of ours, or a joblib backend's.

    Raises:
        UserError: a name unknown to joblib, which registers ``ray`` when that
            library is imported. Or the executor cannot have so many workers.
    """
    if name == "dask":  # joblib's hangs without a client, and cannot send these workers
        raise UserError(
            "executor 'dask' needs a scheduler: name it with --scheduler tcp://host:port, without"
            " --executor"
        )
    if name == AUTO:
        name = "serial" if workers == 1 else "loky"
    if name in NAMED:
        return NAMED[name](workers)
    try:
        with joblib.parallel_config(backend=name):
            return Joblib(name, workers)
    except ValueError as error:
        raise unknown("executor", name, {AUTO, *NAMED, *BACKENDS}, "--executor") from error


def check_threads(workers: int, threads: int, cores: int) -> None:
    """Refuse more busy threads than cores: it costs a factor of two and more (UserError)."""
    if workers < 1 or threads < 1:
        raise UserError(f"--workers {workers} and --threads {threads} must be at least 1")
    if workers * threads > cores:
        raise UserError(
            f"--workers {workers} x --threads {threads} = {workers * threads} is more than the"
            f" {cores} cores here; lower one of them"
        )
