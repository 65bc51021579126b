"""Attack: a process dies at each file operation of a write, with nothing flushed or tidied.

A program of its own, since it forks hundreds of times, which only a process of one thread may:
``python -m nlbench.benchmark.reliability.dying FOLDER`` prints what was wrong with each, as JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nlbench import noise
from nlbench.benchmark.reliability.attack import Place
from nlbench.benchmark.store.store import Store
from nlbench.noise import whole

DIED = 77
# What Python reports to audit hooks of dealings with files.
WATCHED = {"open", "os.mkdir", "os.scandir", "os.chmod", "os.rename", "os.remove", "os.fsync"}
Write = Callable[[Path], object]


def deaths(place: Place) -> Iterator[str]:
    """Round after round: one text for each death."""
    for number in itertools.count():
        folder = place.folder / f"deaths{number}"
        folder.mkdir()
        words = [sys.executable, "-m", __name__, str(folder), str(place.seed + number)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            raise RuntimeError(done.stderr)
        yield from json.loads(done.stdout)


def die_at(operation: int) -> None:
    """End this process instead of its n-th file operation."""
    count = itertools.count(1)

    def watch(event: str, _: Any) -> None:
        if event in WATCHED and next(count) == operation:
            os._exit(DIED)

    fsync = os.fsync

    def audited(handle: Any) -> None:  # the one operation that is not reported
        sys.audit("os.fsync", handle)
        fsync(handle)

    os.fsync = audited  # type: ignore[assignment]
    sys.addaudithook(watch)


def _writes(seed: int) -> Iterator[tuple[str, Write]]:
    """Every kind of file that this package and the noise write, by its name."""
    labels = noise.make("symmetric:0.3", np.arange(500) % 10, num_classes=10, seed=seed)
    text = f"{seed}\n" * 1000
    yield "table.csv", lambda path: whole.write_text(path, text)
    yield "labels.npz", labels.save
    for kind in ("csv", "json", "npy"):
        yield f"labels.{kind}", lambda path: noise.export(labels, path)
    yield "nlbench-store", lambda path: Store.open(path.parent, create=True)


def _round(folder: Path, seed: int) -> Iterator[str]:
    for number, (name, write) in enumerate(_writes(seed)):
        place = folder / f"{number}"
        place.mkdir()
        path = place / name
        write(path)
        new, old = path.read_bytes(), b"" if name == "nlbench-store" else b"what was there before\n"
        for operation in itertools.count(1):
            path.unlink()
            if old:
                path.write_bytes(old)
            died = _child(path, write, operation)
            wrong = _fault(path, write, old, new, died)
            yield f"{name}, operation {operation}: neither old nor new, or left" if wrong else ""
            if not died:
                break


def _fault(path: Path, write: Write, old: bytes, new: bytes, died: bool) -> bool:
    """Whether something is neither as before nor as after, or is left once it is written again."""
    there = path.read_bytes() if path.exists() else b""
    if there not in ((old, new) if died else (new,)):
        return True
    write(path)
    return path.read_bytes() != new or [p.name for p in path.parent.iterdir()] != [path.name]


def _child(path: Path, write: Write, operation: int) -> bool:
    """Write in a process that dies at this operation; whether there was one."""
    number = os.fork()
    if not number:
        try:
            die_at(operation)
            write(path)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == DIED


if __name__ == "__main__":
    sys.stdout.write(json.dumps(list(_round(Path(sys.argv[1]), int(sys.argv[2])))))
