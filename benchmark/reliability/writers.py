"""Attack: many callers train one suite in one store at the same time, and one of them is killed.

A program of its own, for it forks: ``python -m nlbench.benchmark.reliability.writers FOLDER``.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from nlbench.benchmark import datasets
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.train_suite import train_suite
from nlbench.benchmark.reliability.study import study
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.noise import whole

# A method that notes each training in a file, in one write, so that all writers may.
METHOD = """
import os
from dataclasses import dataclass
from pathlib import Path
from nlbench.baselines import Method

@dataclass(frozen=True, kw_only=True)
class Counted(Method):
    def per_sample(self, logits, targets):
        return -logits.log_softmax(1).gather(1, targets[:, None]).squeeze(1)

    def begin_epoch(self, state, facts, epoch, sweep):
        if epoch == 0:
            with Path(__file__).with_name("trained").open("ab", buffering=0) as file:
                file.write(b"%d\\n" % os.getpid())
"""
NOISES = ("clean", *(f"symmetric:0.{n}" for n in range(1, 6)))
PATIENCE = 600  # seconds


@dataclass(frozen=True)
class Shared:
    """What the callers did together.

    Attributes:
        runs: of the suite.
        records: sound ones in the store at the end.
        trained: how many trainings were begun.
        statuses: of the callers; 0: it found every run done at its end.
        left: files in the store that are no records.
    """

    runs: int
    records: int
    trained: int
    statuses: tuple[int, ...]
    left: tuple[str, ...]

    def fault(self, killed: int = 0) -> str:
        """What is wrong, in words; empty if nothing is.

        Args:
            killed: how many callers were; each had one run in flight at most.
        """
        if self.records != self.runs:
            return f"{self.records} records of {self.runs} runs"
        if not self.runs <= self.trained <= self.runs + killed:
            return f"{self.trained} trainings of {self.runs} runs, {killed} callers killed"
        if sum(status != 0 for status in self.statuses) != killed:
            return f"exit statuses {self.statuses}, {killed} callers killed"
        return f"left behind: {', '.join(self.left)}" if self.left else ""


def together(folder: Path, callers: int = 8, seeds: int = 9, kill: bool = False) -> Shared:
    """Let callers train a suite of 6 runs a seed in one store; kill one on its way."""
    words = [str(folder), "--callers", str(callers), "--seeds", str(seeds)]
    done = subprocess.run(
        [sys.executable, "-m", __name__, *words, *(["--kill"] if kill else [])],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = json.loads(done.stdout)
    return Shared(
        found["runs"],
        found["records"],
        found["trained"],
        tuple(found["statuses"]),
        tuple(found["left"]),
    )


def writers(folder: Path, callers: int = 8, seeds: int = 9) -> Iterator[str]:
    """Try after try without end: what was wrong, empty if nothing; in every second one dies."""
    number = 0
    while True:
        kill = number % 2 == 1
        place = folder / f"writers{number}"
        place.mkdir(parents=True)
        yield together(place, callers, seeds, kill).fault(int(kill))
        number += 1


def left_behind(results: Path) -> tuple[str, ...]:
    """Files of a store that no finished caller leaves; what was set aside with a line may stay."""
    store = results / "runs"
    found = (*store.glob("claims/*"), *store.glob("checkpoints/*.pt"), *store.rglob(".*"))
    return tuple(sorted(str(path.relative_to(store)) for path in found))


def _train(folder: Path, start: int) -> int:
    """What each caller does."""
    os.read(start, 1)
    suite = suites.load(str(folder / "suite.toml"))
    options = TrainOptions(device="cpu", workers=1)
    return 0 if train_suite(suite, folder / "results", options, io.StringIO()).complete else 1


def _fork(folder: Path, start: int) -> int:
    process = os.fork()
    if process:
        return process
    status = 2
    try:
        status = _train(folder, start)
    except BaseException:  # noqa: BLE001  # whatever it is, the child must end here
        traceback.print_exc()
    finally:
        os._exit(status)


def _trainings(folder: Path) -> int:
    path = folder / "trained"
    return path.read_text().count("\n") if path.exists() else 0


def _together(folder: Path, callers: int, seeds: int, kill: bool) -> Shared:
    whole.write_text(folder / "lnl_counted.py", METHOD)
    whole.write_text(folder / "suite.toml", study(["lnl_counted:Counted"], NOISES, seeds))
    sys.path.insert(0, str(folder))
    datasets.find("digits", None, download=False)  # once for all: it imports scikit-learn
    start, hold = os.pipe()
    processes = [_fork(folder, start) for _ in range(callers)]
    os.write(hold, b"." * callers)
    if kill:
        until = time.monotonic() + PATIENCE / 2
        while _trainings(folder) < seeds and time.monotonic() < until:
            time.sleep(0.001)
        os.kill(processes[0], signal.SIGKILL)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    results = folder / "results"
    records = sum(record.status == "ok" for record in Store.open(results / "runs").records())
    left = left_behind(results)
    return Shared(len(NOISES) * seeds, records, _trainings(folder), tuple(statuses), left)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=9)
    parser.add_argument("--kill", action="store_true")
    args = parser.parse_args()
    found = _together(args.folder, args.callers, args.seeds, args.kill)
    sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
