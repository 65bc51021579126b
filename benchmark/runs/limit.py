"""The time limit of a run, which also holds where its method never returns."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

# Seconds in which a run that was interrupted has to end; after that nothing but the end of its
# process ends it.
GRACE = 10.0
_AGAIN = 0.2  # seconds between two tries to interrupt
_IMPORTS = "<frozen importlib._bootstrap>"


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
        self._over = self._raised = False
        self._moving = 0.0
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
        if self._raised and not self._by_signal:
            _take()

    def _raise(self, _number: int, frame: FrameType | None) -> None:
        if not (self._over or self._raised or self._importing(frame)):
            self._raised = True
            raise self.error

    def _importing(self, frame: FrameType | None) -> bool:
        """Whether the run is importing a module: broken off, it would break the runs after it."""
        while frame is not None:
            if frame.f_code.co_filename == _IMPORTS:
                self._moving = time.monotonic()
                return True
            frame = frame.f_back
        return False

    def _watch(self) -> None:
        if self._ended.wait(self._seconds):
            return
        self._moving = time.monotonic()
        while time.monotonic() - self._moving < self._grace:
            self._interrupt()
            if self._ended.wait(min(_AGAIN, self._grace)):
                return
        self._hung(self.error)

    def _interrupt(self) -> None:
        with self._lock:
            if self._over or self._raised:
                return
            if self._by_signal:
                signal.pthread_kill(self._ident, signal.SIGALRM)
            elif not self._importing(sys._current_frames().get(self._ident)):
                self._raised = True
                _throw(self._ident, RunTimeout)


def _throw(ident: int, error: type[Exception]) -> None:
    """Let a thread raise an error at its next step in Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(error))


def _take() -> None:
    """Raise here, and drop, what was thrown at this thread and has not been raised yet.

    Not taken back by throwing nothing: until Python 3.12 every thread would then look for an error
    at each of its steps, for ever, and not get beyond its first step under a profiler.
    """
    with contextlib.suppress(RunTimeout):
        for _ in range(3):  # Python looks for errors where a loop starts over
            pass
