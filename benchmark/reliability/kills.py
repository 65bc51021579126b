"""Attack: ``nlbench run`` is ended at a random moment, whole or in part, by every kind of signal.

Whatever is killed, no process stays, the command never waits for ever nor reports that all is done,
records that were there are there unchanged, and the next call goes on to the same results.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlbench.benchmark.machine.device import cores
from nlbench.benchmark.reliability.starting import Forked, Fresh, Started
from nlbench.benchmark.reliability.study import study
from nlbench.benchmark.reliability.writers import left_behind
from nlbench.benchmark.store.store import Store
from nlbench.noise import whole

RUNS = 24
EXECUTORS = ("serial", "loky", "multiprocessing")
# What is killed, by which signal: the command's first process, all of them, or one that trains.
KILLS = (
    ("parent", signal.SIGTERM),
    ("parent", signal.SIGHUP),
    ("parent", signal.SIGINT),
    ("parent", signal.SIGKILL),
    ("group", signal.SIGKILL),
    ("worker", signal.SIGKILL),
)
# The share of commands that are new programs, with any executor; and that of kills that do not wait
# for the first sign of training, and of commands that write checkpoints.
FRESH, EARLY, CHECKPOINTS = 0.04, 0.25, 0.3
# Seconds on average from the start, or from the first sign of training, to the kill.
EARLY_DELAY, DELAY = {True: 4.0, False: 0.2}, {True: 0.5, False: 0.2}
# Seconds within which a command ends after a signal, and nothing of it is left after any. One that
# is asked to leave its runs waits for the end of their epoch, with workers that are still starting.
ENDS, LEAVES, GONE = 5.0, 60.0, 10.0
# Seconds for what is left to do, without waiting for anybody who is dead.
FINISHES = 60.0
# How long a whole command takes at most on a busy machine.
PATIENCE = 600.0
_SHOWN = 500  # characters of what a command said


@dataclass(frozen=True)
class Kill:
    """One try.

    Attributes:
        executor: of the command.
        target: of :data:`KILLS`.
        number: the signal.
        delay: seconds after the first sign of training, or after the start.
        early: whether they count from the start.
        fresh: whether the command is a program of its own; otherwise it is forked.
        checkpoints: whether it writes one after each epoch.
    """

    executor: str
    target: str
    number: signal.Signals
    delay: float
    early: bool = False
    fresh: bool = True
    checkpoints: bool = False

    @property
    def patience(self) -> float:
        """Seconds within which the command is to end after the signal."""
        return LEAVES if self.checkpoints and self.number == signal.SIGTERM else ENDS

    def __str__(self) -> str:
        how = f"{'new' if self.fresh else 'forked'} {self.executor}"
        since = "its start" if self.early else "training began"
        how += " with checkpoints" if self.checkpoints else ""
        return f"{how}, {self.number.name} to {self.target} {self.delay:.2f} s after {since}"


def kills(folder: Path, seed: int, slow: float = 1.0) -> Iterator[str]:
    """Try after try without end: what was wrong, empty if nothing.

    Args:
        folder: an empty one.
        seed: of what is drawn.
        slow: by how much this machine may be late.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    suite = folder / "suite.toml"
    whole.write_text(suite, study())
    expected: dict[str, Any] = {}
    number = 0
    while True:
        results = folder / f"results{number}"
        number += 1
        while len(_science(results)) < RUNS:
            kill = drawn(rng)
            fault = attempt(suite, results, kill, slow)
            if fault is not None:
                yield f"{kill}: {fault}" if fault else ""
        if fault := finished(suite, results, slow):
            yield fault
        expected = expected or _science(results)
        if _science(results) != expected:
            yield "other results than without a kill"
        shutil.rmtree(results)


def drawn(rng: np.random.Generator) -> Kill:
    """A kill of any kind."""
    target, number = KILLS[rng.integers(len(KILLS))]
    fresh, early, checkpoints = (bool(rng.random() < p) for p in (FRESH, EARLY, CHECKPOINTS))
    executor = EXECUTORS[rng.integers(len(EXECUTORS))] if fresh else "serial"
    delay = rng.exponential((EARLY_DELAY if early else DELAY)[fresh])
    return Kill(executor, target, number, delay, early, fresh, checkpoints)


def attempt(suite: Path, results: Path, kill: Kill, slow: float = 1.0) -> str | None:
    """Run a suite and kill; what was wrong, empty if nothing.

    ``None``: nothing was wrong, but the command was done before it was killed.
    """
    before, claimed = _contents(results), _claims(results)
    said = suite.with_name("said")
    words = command(suite, results, kill.executor)
    words += ["--checkpoint", "0"] if kill.checkpoints else []
    process = Fresh(words, said) if kill.fresh else Forked(words, said)
    try:
        if not (kill.early or _trains(process, results, claimed)):
            return f"it did not train in {PATIENCE:.0f} s{_tail(said)}"
        done = process.wait(kill.delay)
        sent = done is None and _send(process, kill)
        begun = time.monotonic()
        status = process.wait(PATIENCE)
        late = time.monotonic() - begun
        if status is None:
            return f"it did not end in {PATIENCE:.0f} s{_tail(said)}"
        if not sent and status != 0:
            return f"it ended by itself with status {status}{_tail(said)}"
        if sent and kill.number != signal.SIGKILL and late > kill.patience * slow:
            return f"it went on for {late:.1f} s{_tail(said)}"
        if left := _remaining(process.pid, GONE * slow):
            return f"processes left: {left}{_tail(said)}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
    after = _contents(results)
    if any(after.get(name) != content for name, content in before.items()):
        return "a record was lost or changed"
    if status == 0 and len(_science(results)) < RUNS:
        return f"exit status 0 with runs missing{_tail(said)}"
    return "" if sent else None


def finished(suite: Path, results: Path, slow: float = 1.0) -> str:
    """Let a suite be run to its end; what is wrong then, empty if nothing."""
    said = suite.with_name("said")
    status = Forked(command(suite, results), said).wait(FINISHES * slow)
    if status != 0 or len(_science(results)) < RUNS:
        return f"exit status {status}, {len(_science(results))} records of {RUNS} runs{_tail(said)}"
    found = left_behind(results)
    return f"left behind: {', '.join(found)}" if found else ""


def command(suite: Path, results: Path, executor: str = "serial") -> list[str]:
    """The words of a command that trains the suite."""
    workers = 1 if executor == "serial" else min(2, cores())
    words = ["run", str(suite), "--results", str(results)]
    return [*words, "--device", "cpu", "--executor", executor, "--workers", str(workers)]


def _tail(said: Path) -> str:
    return f"; it said: {said.read_bytes()[-_SHOWN:]!r}"


def _trains(process: Started, results: Path, before: set[tuple[str, int]]) -> bool:
    """Wait until a run is claimed, or the command has ended; ``False``: neither in time."""
    until = time.monotonic() + PATIENCE
    while not _claims(results) - before and process.wait(0.01) is None:
        if time.monotonic() > until:
            return False
    return True


def _claims(results: Path) -> set[tuple[str, int]]:
    found = set()
    for path in (results / "runs" / "claims").glob("*.claim"):
        with contextlib.suppress(FileNotFoundError):
            found.add((path.name, path.stat().st_ctime_ns))
    return found


def _send(process: Started, kill: Kill) -> bool:
    """Whether there was something to kill."""
    try:
        if kill.target == "group":
            os.killpg(process.pid, kill.number)
        elif kill.target == "parent":
            os.kill(process.pid, kill.number)
        else:  # the youngest: of the command's processes, those that train come last
            os.kill(max(_session(process.pid)), kill.number)
    except (ProcessLookupError, ValueError):
        return False
    return True


def _remaining(session: int, seconds: float) -> list[int]:
    """The processes of a session that are there after so many seconds, or none as soon as so."""
    until = time.monotonic() + seconds
    while (found := _session(session)) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def _session(number: int) -> list[int]:
    """The living processes of a session (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == number and fields[0] not in "ZX":
            found.append(int(path.parent.name))
    return found


def _contents(results: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (results / "runs").glob("??/*.json")}


def _science(results: Path) -> dict[str, Any]:
    try:
        store = Store.open(results / "runs")
    except ValueError:  # not made yet
        return {}
    return {record.run_id: record.science() for record in store.records()}
