"""Steps in order, each in a process of its own; however one ends, the next is begun."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tools.gpu_check.log import Log
from tools.gpu_check.steps import RESERVE, Place, Step

# A step that was told to end has so many seconds for it before it is killed.
GRACE = 5.0
# Seconds between two polls of a running step, and between two calls of ``save`` meanwhile.
LOOK, SAVE = 0.2, 20.0


@dataclass(frozen=True)
class Done:
    """What became of a step.

    Attributes:
        name: of the step.
        command: as it can be given again.
        state: ``running``, ``done``, ``failed`` (exit status, or not to be started), ``died``
            (signal), ``out of time``, ``ended from outside`` (as the call) or ``not begun``.
        status: exit status; of a signal its negative number; ``None`` if there is none.
        seconds: it took.
    """

    name: str
    command: str
    state: str
    status: int | None = None
    seconds: float = 0.0


Save = Callable[[list[Done]], None]


def carry_out(
    steps: Iterable[Step],
    place: Place,
    save: Save,
    say: Callable[[str], None],
    deadline: float,
) -> list[Done]:
    """Run all steps until the deadline, a time of ``time.monotonic``.

    ``save`` is called with the state of all steps after each of them, every SAVE seconds while one
    is running, and when an exception ends them all: however this process ends, what was known is
    kept.
    """
    place.logs.mkdir(parents=True, exist_ok=True)
    done: list[Done] = []
    for number, step in enumerate(steps, 1):
        left = deadline - RESERVE - time.monotonic()
        seconds = left - GRACE if step.seconds is None else min(step.seconds, left - GRACE)
        # Whole seconds, never later than the step is told to end.
        words = (*step.words, "--until", str(int(time.time() + seconds)))
        now = Done(step.name, " ".join(("python", "-m", *words)), "running")
        if seconds <= 1:
            done.append(replace(now, state="not begun"))
        else:
            say(f"{step.name}: at most {seconds:.0f} s")
            log = place.logs / f"{number}-{step.name}.log"
            try:
                ended = _run(words, log, seconds + GRACE, lambda now=now: save([*done, now]))  # type: ignore[misc]
            except BaseException:
                save([*done, replace(now, state="ended from outside")])
                raise
            done.append(replace(now, state=ended[0], status=ended[1], seconds=round(ended[2], 1)))
        say(f"{step.name}: {done[-1].state} after {done[-1].seconds:.0f} s")
        save(done)
    return done


def _run(
    words: tuple[str, ...], path: Path, seconds: float, save: Callable[[], None]
) -> tuple[str, int | None, float]:
    """State, exit status and seconds of one command; nothing that it started is left behind."""
    start = saved = time.monotonic()
    try:
        process, log = _start(words, path)
    except OSError as error:  # no process or pipe to be had now: there may be for the next step
        path.write_text(f"{error}\n")
        return "failed", None, 0.0
    try:
        save()
        while (status := _wait(process)) is None and time.monotonic() - start < seconds:
            if time.monotonic() - saved > SAVE:
                log.flush()
                save()
                saved = time.monotonic()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.close()
    took = time.monotonic() - start
    if status is None:
        return "out of time", None, took
    return "done" if status == 0 else "failed" if status > 0 else "died", status, took


def _start(words: tuple[str, ...], path: Path) -> tuple[subprocess.Popen[bytes], Log]:
    """The process, in a session of its own, and the log of what it prints."""
    ours, theirs = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    except OSError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return process, Log(ours, path)


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(LOOK)
    except subprocess.TimeoutExpired:
        return None
