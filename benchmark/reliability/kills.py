"""Attack: ``nlbench run`` is ended at a random moment, whole or in part, by every kind of signal.

Whatever is killed, no process stays, the command never waits for ever nor says that all is done,
records that were there are there unchanged, and the next call goes on to the same results.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlbench.benchmark.machine.device import cores
from nlbench.benchmark.reliability.writers import left_behind
from nlbench.benchmark.store.store import Store
from nlbench.noise import whole

SUITE = """
methods = ["ce", "gce"]
noise = ["clean", "symmetric:0.2", "symmetric:0.4"]
seeds = 4
model = "mlp"
[dataset]
name = "digits"
train_per_class = 20
[recipe]
epochs = 2
batch_size = 32
lr = 0.05
"""
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
# Seconds within which a command ends after a signal, and nothing of it is left after any.
ENDS, GONE = 5.0, 10.0
# How long a whole command takes at most on a busy machine.
PATIENCE = 600.0


@dataclass(frozen=True)
class Kill:
    """One try.

    Attributes:
        executor: of the command.
        target: of :data:`KILLS`.
        number: the signal.
        delay: seconds after the first sign of training.
    """

    executor: str
    target: str
    number: signal.Signals
    delay: float

    def __str__(self) -> str:
        return f"{self.executor}, {self.number.name} to {self.target} after {self.delay:.2f} s"


def kills(folder: Path, seed: int, slow: float = 1.0) -> Iterator[str]:
    """Try after try without end: what was wrong, empty if nothing.

    Args:
        folder: an empty one.
        seed: of what is drawn.
        slow: by how much this machine may be late.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    suite = folder / "suite.toml"
    whole.write_text(suite, SUITE)
    expected: dict[str, Any] = {}
    number = 0
    while True:
        results = folder / f"results{number}"
        number += 1
        while not results.exists() or len(_science(results)) < RUNS:
            target, sent = KILLS[rng.integers(len(KILLS))]
            executor = EXECUTORS[rng.integers(len(EXECUTORS))]
            kill = Kill(executor, target, sent, rng.exponential())
            fault = attempt(suite, results, kill, slow)
            yield f"{kill}: {fault}" if fault else ""
        subprocess.run(command(suite, results), check=False, capture_output=True, timeout=PATIENCE)
        if found := left_behind(results):
            yield f"left behind: {', '.join(found)}"
        expected = expected or _science(results)
        if _science(results) != expected:
            yield "other results than without a kill"


def attempt(suite: Path, results: Path, kill: Kill, slow: float = 1.0) -> str:
    """Run a suite and kill; what was wrong, empty if nothing."""
    before, claimed = _contents(results), _claims(results)
    process = subprocess.Popen(
        command(suite, results, kill.executor),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_hear,  # noqa: PLW1509  # no other thread of ours runs then
    )
    try:
        _wait_for_training(process, results, claimed)
        time.sleep(kill.delay)
        sent = _send(process, kill)
        begun = time.monotonic()
        status = process.wait(PATIENCE)
        late = time.monotonic() - begun
        ended = sent and kill.number != signal.SIGKILL
        if ended and late > ENDS * slow:
            return f"it went on for {late:.1f} s"
        if left := _remaining(process.pid, GONE * slow):
            return f"processes left: {left}"
    except subprocess.TimeoutExpired:
        return f"it did not end in {PATIENCE:.0f} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    after = _contents(results)
    if any(after.get(name) != content for name, content in before.items()):
        return "a record was lost or changed"
    if status == 0 and len(_science(results)) < RUNS:
        return "exit status 0 with runs missing"
    return ""


def _hear() -> None:
    """What a shell's background or nohup switched off is heard again: it is what is tried here."""
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        signal.signal(signal.Signals[name], signal.SIG_DFL)


def command(suite: Path, results: Path, executor: str = "serial") -> list[str]:
    """The words of a command that trains the suite."""
    workers = 1 if executor == "serial" else min(2, cores())
    words = [sys.executable, "-m", "nlbench", "run", str(suite), "--results", str(results)]
    return [*words, "--device", "cpu", "--executor", executor, "--workers", str(workers)]


def _wait_for_training(
    process: subprocess.Popen[bytes], results: Path, before: set[tuple[str, int]]
) -> None:
    """Until a run is claimed, or the command has ended."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and not _claims(results) - before:
        if time.monotonic() > until:
            raise subprocess.TimeoutExpired(process.args, PATIENCE)
        time.sleep(0.01)


def _claims(results: Path) -> set[tuple[str, int]]:
    found = set()
    for path in (results / "runs" / "claims").glob("*.claim"):
        with contextlib.suppress(FileNotFoundError):
            found.add((path.name, path.stat().st_ctime_ns))
    return found


def _send(process: subprocess.Popen[bytes], kill: Kill) -> bool:
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
        time.sleep(0.1)
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
