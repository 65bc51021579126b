"""A worker process ends with the process that started it, whatever ended that one."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1  # of prctl(2), from linux/prctl.h
_EVERY = 0.5


def end_with(parent: int, kernel: bool = False) -> None:
    """End this process soon after its parent: a thread looks twice a second.

    Args:
        parent: number of the process that started this one.
        kernel: let Linux kill this process at once besides. Only where the thread that started it
            lives as long as the parent: the kernel watches that thread.
    """
    if kernel and sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A daemon, so that it keeps nothing from ending.
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def end_worker_with(parent: int) -> None:
    """What a worker process begins with: it ends with its parent, which alone hears signals.

    A terminal sends Ctrl-C to all processes of a command, and a cluster what precedes its end.
    """
    for name in ("SIGINT", "SIGTERM", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(signal.Signals[name], signal.SIG_IGN)
    end_with(parent)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_EVERY)
    os._exit(1)
