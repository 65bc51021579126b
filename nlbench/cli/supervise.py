"""A command in a process of its own, with a small parent process that notes how it ends.

The command's own process may be killed, may be ended by a method (``os._exit``), may hang in code
that hears no signal. So this one, which runs nothing else, passes signals on, ends the command
where it does not end by itself, and takes as its exit status only what the command reported.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from functools import partial

from nlbench.benchmark.machine.parent import end_with

# Signals that end a command, and how long it may take for that, in seconds. Its workers, which look
# for it twice a second, end with it.
STOPPING = ("SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1")
PATIENCE = 3
# How long a command that has reported its exit status may take to end, in seconds.
FAREWELL = 30
# What a command sends to the process over it to be waited for.
_HOLD = getattr(signal, "SIGUSR2", 0)


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


Hold = Callable[[], None]


def supervised(command: Callable[[Hold], int]) -> int:
    """The exit status of a command that is run in a process of its own.

    Args:
        command: gets what it calls when it has heard a signal and needs longer than PATIENCE.
    """
    if not hasattr(os, "fork"):  # Windows
        return command(no_need)
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reading)
        return _command(command, parent, writing)
    os.close(writing)
    return _supervise(child, reading)


def no_need() -> None:
    """What a command calls that nobody waits for."""


def _command(command: Callable[[Hold], int], parent: int, writing: int) -> int:
    """Run the command, and report how it ended."""
    end_with(parent, kernel=True)
    for number in _heard():
        signal.signal(number, _stop)
    status = command(partial(_send, parent, _HOLD))
    os.write(writing, bytes([status]))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(FAREWELL)
    return status


def _stop(number: int, _: object) -> None:
    for other in _heard():  # once is enough: nothing is to interrupt the tidying up
        signal.signal(other, lambda *_: None)
    raise Stopped(number)


def _heard() -> list[signal.Signals]:
    """The signals that end a command, without those that nohup or a shell has switched off."""
    known = [signal.Signals[name] for name in STOPPING if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]


def _supervise(child: int, reading: int) -> int:
    """Wait for the command's process."""
    asked: list[int] = []

    def pass_on(number: int, _: object) -> None:
        asked.append(number)
        signal.alarm(PATIENCE)
        _send(child, number)

    signal.signal(_HOLD, lambda *_: signal.alarm(0))
    signal.signal(signal.SIGALRM, lambda *_: _send(child, signal.SIGKILL))
    for number in _heard():
        signal.signal(number, pass_on)
    _, ended = os.waitpid(child, 0)
    signal.alarm(0)
    for number in _heard():
        signal.signal(number, signal.SIG_IGN)  # the process is gone, its number may be another's
    os.set_blocking(reading, False)  # a process that the command left may hold it open
    try:
        said = os.read(reading, 1)
    except BlockingIOError:
        said = b""
    return said[0] if said else _unsaid(os.waitstatus_to_exitcode(ended), asked)


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _unsaid(code: int, asked: list[int]) -> int:
    """The exit status of a command that ended before its end."""
    if asked:
        how, status = "was stopped", 128 + asked[0]
    elif code < 0:
        how, status = f"was killed (signal {-code})", 128 - code
    else:
        how, status = f"was ended from within with status {code}, by a method perhaps", code or 1
    print(
        f"nlbench: the command {how}; what is done is kept, the same command goes on",
        file=sys.stderr,
    )
    return status
