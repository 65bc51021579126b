"""How a suite is trained: what may be chosen, and what that comes to on this machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.executors import registry
from nlbench.benchmark.executors.dask import PATIENCE, Dask
from nlbench.benchmark.executors.executor import Executor
from nlbench.benchmark.executors.gpus import Gpus, gpus
from nlbench.benchmark.machine.device import cores, describe, resolve
from nlbench.benchmark.training.registry import AUTO, BackendConfig

MODES = ("strict", "fast")
ALL = (1, 1)  # the one part of all runs


@dataclass(frozen=True)
class Setup:
    """Who trains, and with what.

    Attributes:
        device: of the runs.
        here: what this process itself computes on, to check what is asked for.
        choice: training backend, resolved for the device.
        executor: does the packs.
        workers: processes that train side by side.
        loaders: threads of each worker that decode images.
    """

    device: torch.device
    here: torch.device
    choice: BackendConfig
    executor: Executor
    workers: int
    loaders: int

    @property
    def words(self) -> str:
        """What trains, for messages."""
        if isinstance(self.executor, Dask):
            return f"{self.device} of the workers of dask scheduler {self.executor.address}"
        return f"{describe(self.device)}, {self.workers} worker(s)"


@dataclass(frozen=True)
class TrainOptions:
    """How to train a suite; ``nlbench run --help`` explains each.

    Attributes:
        data: folder of data sets; ``None`` = the default one.
        download: whether a data set may be fetched over the network.
        device: auto, cpu, cuda or cuda:N.
        gpus: ``all`` or a number: one worker process per GPU; ``None`` = one device.
        workers: processes that train side by side; ``None`` = one per core, one on a GPU.
        threads: CPU threads of each worker.
        executor: see :func:`registry.create`.
        scheduler: address of a dask scheduler whose workers train, each with the data set and the
            device that it has itself; ``None`` = this machine trains.
        worker_wait: seconds after which a call ends if that scheduler has no worker; ``None`` = 60.
        loaders: threads of each worker that decode images; ``None`` = its share of the cores.
        backend: of :func:`nlbench.benchmark.training.registry.names`; ``auto`` = loop, and on a
            GPU graph where it first proves itself there.
        slots: runs side by side in one worker; ``None`` = the backend's own number.
        mode: of MODES; ``fast`` lets a GPU choose algorithms by timing.
        compiled: let inductor fuse the network.
        minutes: start no run after so many; ``None`` = no limit.
        stop: a file that asks all to end once it is there: no run is started, and a run that
            writes checkpoints writes one at the end of its epoch and stops; ``None`` = none.
        checkpoint: write the state of each run every so many minutes, at the end of an epoch;
            ``None`` = never. A run whose state is found goes on from it.
        run_timeout: seconds after which a run is stopped and recorded as failed; ``None`` = never.
        begin: I and N: the I-th of N parts of the runs comes first, as :func:`shard` has them, then
            the rest, so that N callers of one store do not all reach for the same runs.
        wait: for runs that other callers are training on the same store; otherwise those are left.
        retry: repeat runs that failed.
        force: repeat what is done of these methods, of all if it is empty; ``None`` = of none.
        keep_old: keep records that another source of their method made.
    """

    data: Path | None = None
    download: bool = True
    device: str = "auto"
    gpus: str | None = None
    workers: int | None = None
    threads: int = 1
    executor: str = registry.AUTO
    scheduler: str | None = None
    worker_wait: float | None = None
    loaders: int | None = None
    backend: str = AUTO
    slots: int | None = None
    mode: str = "strict"
    compiled: bool = False
    minutes: float | None = None
    stop: Path | None = None
    checkpoint: float | None = None
    run_timeout: float | None = None
    begin: tuple[int, int] = ALL
    wait: bool = True
    retry: bool = False
    force: tuple[str, ...] | None = None
    keep_old: bool = False

    def resolve(self) -> Setup:
        """What these options come to here.

        Raises:
            UserError: an unknown name, or a choice that this machine cannot carry out.
        """
        device = resolve(self.device, here=self.scheduler is None)
        here = device if self.scheduler is None else resolve("auto")
        if self.mode not in MODES:
            raise unknown("mode", self.mode, MODES, "--mode")
        choice = BackendConfig(self.backend, self.slots, self.mode == "strict", self.compiled)
        choice = choice.resolve(device)
        _check_checkpoint(self.checkpoint, choice)
        _check_timeout(self.run_timeout, choice)
        executor, workers = self._executor(device)
        share = 1 if self.scheduler is not None else max(1, cores() // workers)
        loaders = share if self.loaders is None else self.loaders
        return Setup(device, here, choice, executor, workers, loaders)

    def _executor(self, device: torch.device) -> tuple[Executor, int]:
        """Who does the runs, and how many workers that is at least."""
        if self.scheduler is not None:
            return self._dask(self.scheduler), 1
        if self.gpus is not None:
            chosen = self.workers is not None or self.executor != registry.AUTO
            if chosen or device.type != "cuda":
                raise UserError(
                    f"--gpus {self.gpus} is one worker per GPU: it goes with --device cuda and"
                    " without --workers and --executor"
                )
            visible = gpus(self.gpus)
            return Gpus(visible), len(visible)
        workers = self.workers
        if workers is None:
            workers = 1 if device.type == "cuda" else max(1, cores() // max(1, self.threads))
        registry.check_threads(workers, self.threads, cores())
        return registry.create(self.executor, workers), workers

    def _dask(self, address: str) -> Dask:
        """The workers of a scheduler (UserError: what they cannot do, or none can)."""
        given = {
            "--executor": self.executor != registry.AUTO,
            "--workers": self.workers is not None,
            "--gpus": self.gpus is not None,
            "--checkpoint": self.checkpoint is not None,
        }
        if wrong := [option for option, used in given.items() if used]:
            raise UserError(
                f"--scheduler {address}: its workers train, as many as it has, and share no folder"
                f" with this machine; leave {' and '.join(wrong)} out"
            )
        patience = PATIENCE if self.worker_wait is None else self.worker_wait
        if not 0 < patience < math.inf:
            raise UserError(f"--worker-wait {patience} must be a time above 0")
        return Dask(address, self.download, patience)


def _check_checkpoint(minutes: float | None, choice: BackendConfig) -> None:
    if minutes is not None and not 0 <= minutes < math.inf:
        raise UserError(f"--checkpoint {minutes} must be a number of minutes, at least 0")
    if minutes is not None and choice.name == "stack":
        raise UserError("--checkpoint: backend 'stack' writes none; take --backend loop or graph")


def _check_timeout(seconds: float | None, choice: BackendConfig) -> None:
    if seconds is not None and not 0 < seconds < math.inf:
        raise UserError(f"--run-timeout {seconds} must be a time above 0")
    if seconds is not None and choice.name == "stack":
        raise UserError(
            "--run-timeout: backend 'stack' trains runs in lock-step; take --backend loop or graph"
        )
