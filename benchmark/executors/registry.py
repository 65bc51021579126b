"""Executors by name: those of ours, joblib's, and ``module:name`` from anywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import joblib
from joblib.parallel import BACKENDS

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.executors.executor import Executor
from nlbench.benchmark.executors.local import Joblib, Processes, Serial
from nlbench.outside import Kind, one_line

AUTO = "auto"
OUTSIDE = Kind("executor", "nlbench.executors", UserError)
# Name -> what makes the executor of so many workers (UserError: it cannot have so many). Any other
# name is one from outside, or is looked up among joblib's backends.
NAMED: dict[str, Callable[[int], Executor]] = {
    "serial": Serial.of,
    "multiprocessing": Processes,
}


def create(name: str, workers: int) -> Executor:
    """``auto`` (serial for one worker, else loky), a name of ours, one from outside, or joblib's.

    Raises:
        UserError: a name unknown to joblib, which registers ``ray`` when that library is imported;
            what is from outside is no executor; or it cannot have so many workers.
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
    if OUTSIDE.is_outside(name):
        return _outside(name, workers)
    try:
        with joblib.parallel_config(backend=name):
            return Joblib(name, workers)
    except ValueError as error:
        raise unknown("executor", name, {AUTO, *NAMED, *BACKENDS}, "--executor") from error


def _outside(name: str, workers: int) -> Executor:
    """What the part from outside makes for so many workers."""
    make = OUTSIDE.load(name)
    if not callable(make):
        raise OUTSIDE.refusal(name, make, "a class or function of the number of workers")
    try:
        made = make(workers)
    except Exception as error:
        raise UserError(f"executor {name!r} with {workers} worker(s): {one_line(error)}") from error
    if not callable(getattr(made, "run", None)):
        raise OUTSIDE.refusal(name, made, "an executor, with run(work, packs)")
    return cast(Executor, made)


def check_threads(workers: int, threads: int, cores: int) -> None:
    """Refuse more busy threads than cores: it costs a factor of two and more (UserError)."""
    if workers < 1 or threads < 1:
        raise UserError(f"--workers {workers} and --threads {threads} must be at least 1")
    if workers * threads > cores:
        raise UserError(
            f"--workers {workers} x --threads {threads} = {workers * threads} is more than the"
            f" {cores} cores here; lower one of them"
        )
