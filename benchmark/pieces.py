"""Pieces of work for a card that is lent for minutes: steps in order, and one archive of it all.

Each step is a command of its own with a log of its own. The first that fails ends the piece; what
there is by then (logs, records, tables) is packed all the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Kept back of a piece's minutes: packing, and a run that was begun just before the end.
RESERVE = 1.5


@dataclass(frozen=True)
class Place:
    """Where a piece is carried out.

    Attributes:
        device: as for ``nlbench run``.
        work: folder for stores, tables and logs.
        data: folder of data sets, ``None`` for the default one.
        minutes: for the whole piece.
    """

    device: str
    work: Path
    data: Path | None
    minutes: float

    @property
    def on_card(self) -> bool:
        """Whether this is a GPU."""
        return self.device.startswith("cuda")


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: of its log.
        words: after ``python -m``.
        sound: exit statuses that are no failure; ``nlbench run --minutes`` ends with 1 while runs
            are missing.
        card: whether it makes sense on a GPU only; elsewhere it is skipped, and said.
    """

    name: str
    words: tuple[str, ...]
    sound: tuple[int, ...] = (0,)
    card: bool = False


@dataclass(frozen=True)
class Done:
    """How a step ended; ``status`` is ``None`` for a skipped step, -9 for one out of time."""

    name: str
    command: str
    status: int | None
    seconds: float
    failed: bool


def check(place: Place) -> Iterator[Step]:
    """Tests marked gpu, then the smallest real runs: the loop, and recorded steps twice."""
    yield Step("doctor", ("benchmark", "doctor", *_data(place), "--results", str(place.work)))
    yield Step("tests", ("pytest", "-m", "gpu", "-p", "no:cacheprovider", "-v", "tests"))
    small = ("--noise", "clean", "--seeds", "0")
    yield _run(place, "quick-loop", "quick", "loop", *small, backend="loop")
    yield _run(place, "quick-graph", "quick", "graph", *small, backend="graph", card=True)
    again = ("quick-graph-again", "quick", "graph-again", *small)
    yield _run(place, *again, backend="graph", card=True)
    # One seed shows no equivalence; the table says whether the two have the same bits.
    stores = (str(place.work / name) for name in ("graph", "graph-again"))
    same = ("benchmark", "store", "equivalence", *stores)
    yield Step("same-bits", same, sound=(0, 1), card=True)
    yield _run(place, "cifar10-jpeg", "cifar10-jpeg", "study", *small, backend="graph", card=True)


def bench(place: Place) -> Iterator[Step]:
    """Speed of the engines and of stacks; engines.csv is written after each network."""
    device = ("--device", place.device)
    yield Step("stack", ("benchmark", "bench", "stack", *device))
    yield Step(
        "engines", ("benchmark", "bench", "engines", *device, "--out", str(place.work / "bench"))
    )


def modes(place: Place) -> Iterator[Step]:
    """Suite ``modes`` strict and fast, half the time each, and the test of their equivalence."""
    half = f"{max(0.1, (place.minutes - RESERVE) / 2):.2f}"
    for mode in ("strict", "fast"):
        yield _run(
            place,
            mode,
            "modes",
            mode,
            "--mode",
            mode,
            "--minutes",
            half,
            backend="graph",
            card=True,
        )
    yield Step(
        "equivalence",
        ("benchmark", "store", "equivalence", str(place.work / "strict"), str(place.work / "fast")),
        sound=(0, 1),
        card=True,
    )


def study(place: Place) -> Iterator[Step]:
    """Suite ``cifar10-jpeg`` for as long as there is time; its records continue earlier ones."""
    minutes = f"{max(0.1, place.minutes - RESERVE):.2f}"
    yield _run(
        place, "study", "cifar10-jpeg", "study", "--minutes", minutes, backend="graph", card=True
    )


PIECES: Mapping[str, Callable[[Place], Iterator[Step]]] = {
    "check": check,
    "bench": bench,
    "modes": modes,
    "study": study,
}


def carry_out(
    steps: Sequence[Step], place: Place, say: Callable[[str], None], clock: Callable[[], float]
) -> list[Done]:
    """Run the steps until one fails or the time is over; logs go to ``work/logs``."""
    logs = place.work / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    deadline = clock() + 60 * place.minutes
    done: list[Done] = []
    for number, step in enumerate(steps, 1):
        command = " ".join(("python", "-m", *step.words))
        if step.card and not place.on_card:
            say(f"{step.name}: skipped, it needs a GPU")
            done.append(Done(step.name, command, None, 0.0, False))
            continue
        say(f"{step.name}: {command}")
        start = clock()
        with (logs / f"{number}-{step.name}.log").open("wb") as log:
            status = _call(step.words, log.fileno(), max(0.0, deadline - start))
        failed = status not in step.sound
        done.append(Done(step.name, command, status, round(clock() - start, 1), failed))
        if failed:
            say(f"{step.name}: FAILED with exit status {status}; see its log in the archive")
            break
    return done


def pack(
    place: Place, piece: str, done: Sequence[Done], facts: Mapping[str, Any], out: Path
) -> Path:
    """Everything of the piece as one .tar.gz: summary, logs, tables, and each store's export."""
    from benchmark import archive
    from benchmark.record import RunRecord
    from benchmark.store import Store

    summary = {"piece": piece, "steps": [asdict(step) for step in done], **facts}
    (place.work / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    names = ["summary.json"]
    for folder in sorted(path for path in place.work.iterdir() if (path / "runs").is_dir()):
        found = archive.stored(Store.open(folder / "runs"))
        records = [item for item in found if isinstance(item, RunRecord)]
        if records:
            names.append(f"records-{folder.name}.tar.gz")
            archive.write(place.work / names[-1], records)
    names += [name for name in ("logs", "bench") if (place.work / name).is_dir()]
    out.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(out, "w:gz") as tar:
        for name in names:
            tar.add(place.work / name, f"gpu-{piece}/{name}")
    return out


def _run(
    place: Place, name: str, suite: str, store: str, *words: str, backend: str, card: bool = False
) -> Step:
    """A call of ``nlbench run`` into a store of its own under ``work``."""
    results = ("--results", str(place.work / store))
    device = ("--device", place.device, "--backend", backend)
    called = ("benchmark", "run", suite, *device, *_data(place), *results, *words)
    return Step(name, called, (0, 1) if "--minutes" in words else (0,), card)


def _data(place: Place) -> tuple[str, ...]:
    return () if place.data is None else ("--data", str(place.data))


def _call(words: Sequence[str], log: int, seconds: float) -> int:
    """The exit status of one command; it and its children are ended when the time is over."""
    process = subprocess.Popen(
        [sys.executable, "-m", *words], stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def now() -> float:
    """Seconds of a clock that never goes back."""
    return time.monotonic()
