"""Start the command line in a session of its own: as a new program, or forked from a warm process.

A new interpreter imports torch for seconds before anything can be attacked. So most commands are
forked from a server (:mod:`multiprocessing`'s forkserver) that has imported what a command imports
and has run nothing: no thread, no tensor. From there on both do the same.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

# Modules that training imports, those too that torch imports when an optimiser is made.
IMPORTED = (
    __name__,
    "nlbench.cli",
    "nlbench.cli.run",
    "nlbench.cli.status",
    "nlbench.baselines.methods.ce",
    "nlbench.baselines.methods.gce",
    "sklearn.datasets",
    "torch._inductor.config",
)
# With these its libraries start no thread at their import, and the tracker of the semaphores that
# killed processes leave does not list them at its end.
SETTINGS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
}


class Started(Protocol):
    """A command on its way; its number is that of its session too."""

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    def wait(self, seconds: float) -> int | None:
        """Its exit status (below 0: the signal that killed it); ``None``: it is still running."""
        ...


class Fresh:
    """A command in an interpreter of its own.

    Args:
        words: of the command line, without ``nlbench``.
        said: file that gets what it writes to standard output and error.
    """

    def __init__(self, words: Sequence[str], said: Path) -> None:
        with said.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "nlbench", *words],
                stdout=file,
                stderr=file,
                start_new_session=True,
                preexec_fn=_hear,  # noqa: PLW1509  # no other thread of ours runs then
            )
        self.pid = self._process.pid

    def wait(self, seconds: float) -> int | None:
        """See :class:`Started`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None


class Forked:
    """A command in a process that begins with all modules imported.

    Args:
        words: of the command line, without ``nlbench``.
        said: file that gets what it writes to standard output and error.
    """

    def __init__(self, words: Sequence[str], said: Path) -> None:
        server = multiprocessing.get_context("forkserver")
        server.set_forkserver_preload(list(IMPORTED))
        with _settings():
            self._process: ForkServerProcess = server.Process(target=_run, args=(words, said))
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid
        while self.wait(0.001) is None and not _leads(self.pid):
            pass

    def wait(self, seconds: float) -> int | None:
        """See :class:`Started`."""
        self._process.join(seconds)
        return self._process.exitcode


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """Within, the environment that the server begins with, if it is not there yet."""
    before = dict(os.environ)
    os.environ.update(SETTINGS)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _leads(process: int) -> bool:
    """Whether it has a session of its own by now."""
    with contextlib.suppress(ProcessLookupError):
        return os.getsid(process) == process
    return False


def _run(words: Sequence[str], said: Path) -> None:
    """What ``python -m nlbench WORDS`` does from its first line on."""
    _hear()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as an interpreter begins
    with said.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = ["nlbench", *words]
    os.setsid()
    runpy.run_module("nlbench", run_name="__main__", alter_sys=True)


def _hear() -> None:
    """What a shell's background or nohup switched off is heard again: it is what is tried here."""
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        signal.signal(signal.Signals[name], signal.SIG_DFL)
