"""The time limit of a run, which also holds where its method never returns."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

# Seconds in which a run that was interrupted has to end; after that nothing but the end of its
# process ends it.
GRACE = 10.0


class RunTimeout(RuntimeError):
    """A run took longer than it may."""


class Limit:
    """Counts from now on.

    Args:
        seconds: how long the run may take.
        hung: called, in another thread, if the run goes on although it was interrupted.
        watched: interrupt the thread that this is made in. Otherwise somebody asks now and then,
            by :meth:`check`.
        grace: see :data:`GRACE`.
    """

    def __init__(
        self,
        seconds: float,
        hung: Callable[[RunTimeout], None],
        watched: bool = True,
        grace: float = GRACE,
    ) -> None:
        self._seconds, self._grace, self._hung = seconds, grace, hung
        self._until = time.monotonic() + seconds
        self._over = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._ident = threading.get_ident()
        # A signal also interrupts what waits outside Python, but only the main thread takes any.
        self._by_signal = hasattr(signal, "pthread_kill") and (
            threading.current_thread() is threading.main_thread()
        )
        self._before: Any = None
        if watched:
            if self._by_signal:
                self._before = signal.signal(signal.SIGALRM, self._raise)
            threading.Thread(target=self._watch, daemon=True).start()

    @property
    def error(self) -> RunTimeout:
        """What is raised."""
        return RunTimeout(f"it was not done after {self._seconds:g} s, its --run-timeout")

    def check(self) -> None:
        """Raise :class:`RunTimeout` if the time is over."""
        if time.monotonic() > self._until:
            raise self.error

    def end(self) -> None:
        """The run has ended. May be called again, where this was interrupted."""
        self._over = True  # first: from here on nothing is raised by the signal
        with self._lock:
            self._ended.set()
            if self._before is not None:
                signal.signal(signal.SIGALRM, self._before)
                self._before = None
            elif not self._by_signal:
                _interrupt(self._ident, None)

    def _raise(self, *_: object) -> None:
        if not self._over:
            raise self.error

    def _watch(self) -> None:
        if self._ended.wait(self._seconds):
            return
        with self._lock:
            if self._over:
                return
            if self._by_signal:
                signal.pthread_kill(self._ident, signal.SIGALRM)
            else:
                _interrupt(self._ident, RunTimeout)
        if not self._ended.wait(self._grace):
            self._hung(self.error)


def _interrupt(ident: int, error: type[Exception] | None) -> None:
    """Let a thread raise an error at its next step in Python; ``None`` takes that back."""
    raised = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), raised)
