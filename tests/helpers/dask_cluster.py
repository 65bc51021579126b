"""A dask scheduler and workers, each a process of its own on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from nlbench.benchmark.executors.cluster import connected

REPOSITORY = Path(__file__).resolve().parents[2]


class Cluster:
    """One scheduler; workers are added and killed by the test, all that is left at the end.

    Attributes:
        address: of the scheduler.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"

    def __enter__(self) -> Cluster:
        words = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        # Outside the tree and without its path: a scheduler needs no nlbench.
        self.scheduler = self._start(words, {"PYTHONPATH": ""})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                process.kill()
                process.wait()

    def add(self, *before: str, **environment: str) -> subprocess.Popen[bytes]:
        """A worker of one thread, without the process that would start it again.

        Args:
            before: a command that carries out the rest of its words, such as ``nice``.
            environment: variables besides those of this process.
        """
        words = ["worker", self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny"]
        words += ["--no-dashboard", "--memory-limit", "0", "--death-timeout", "120"]
        words += ["--local-directory", str(self.folder)]
        known = {"PYTHONPATH": str(REPOSITORY), **environment}
        self.workers.append(self._start(words, known, before))
        return self.workers[-1]

    def wait(self, workers: int, seconds: float = 120) -> None:
        """Until so many workers are there."""
        until = time.monotonic() + seconds
        with connected(self.address) as found:
            while len(found.there()) < workers:
                assert time.monotonic() < until
                time.sleep(0.05)

    def _start(
        self, words: list[str], environment: Mapping[str, str], before: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*before, sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / f"{words[0]}{len(self.workers)}.log").open("wb"),
        )
