"""How much memory one data set takes in several processes of one machine together."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline.in_memory import resident
from nlbench.benchmark.spec.run_spec import DatasetSpec


def run(name: str, root: Path | None, counts: tuple[int, ...]) -> list[dict[str, Any]]:
    """Hold a data set on the CPU in so many processes at once.

    Returns:
        Per number of ``processes`` how much more ``mb`` they hold together than without data, with
        pages that are shared counted once, and the largest of ``more_mb`` that one of them took on
        the way.

    Raises:
        UserError: this system does not report how much memory is shared.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        raise UserError("bench data: only Linux reports how much memory processes share")
    return [{"data_set": name, "processes": count, **_held(name, root, count)} for count in counts]


def _held(name: str, root: Path | None, count: int) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(count)]
    workers = [
        context.Process(target=_work, args=(theirs, name, root), daemon=True) for _, theirs in pipes
    ]
    for worker in workers:
        worker.start()
    ours = [pipe for pipe, _ in pipes]
    try:
        _answers(ours)
        before = [_shared(worker.pid) for worker in workers]
        peaks = _answers(ours)
        after = [_shared(worker.pid) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.join()
    return {"mb": round(sum(after) - sum(before)), "more_mb": round(max(peaks))}


def _answers(pipes: list[Connection]) -> list[float]:
    for pipe in pipes:
        pipe.send("go on")
    return [pipe.recv() for pipe in pipes]


def _work(pipe: Connection, name: str, root: Path | None) -> None:
    """Two answers: once all is imported, and once the data are held."""
    pipe.recv()
    before = _peak()
    pipe.send(before)
    pipe.recv()
    held = resident(DatasetSpec(name), root, torch.device("cpu"))
    str(held.dataset.fingerprint)  # takes every byte into memory
    pipe.send(_peak() - before)
    pipe.recv()


def _shared(process: int | None) -> float:
    """MB that a process holds, each page divided by how many hold it."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return int(text.split("Pss:")[1].split()[0]) / 1024


def _peak() -> float:
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) / 1024
