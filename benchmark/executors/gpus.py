"""Executor of one machine with several GPUs: a process for each of them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.executor import T
from nlbench.benchmark.machine.parent import end_worker_with


@dataclass(frozen=True)
class Gpus:
    """One process per GPU; each takes the next pack as soon as it is free.

    Only its own GPU is visible to a process, as ``cuda:0``: the choice is in its environment before
    it starts, for CUDA reads it only once.

    Attributes:
        visible: what CUDA_VISIBLE_DEVICES is set to in each process.
    """

    visible: tuple[str, ...]

    def run(self, work: Callable[[T], None], packs: Sequence[T]) -> None:
        """See :class:`Executor`.

        Raises:
            RuntimeError: a process was killed; the others ran to their end.
        """
        spawn = multiprocessing.get_context("spawn")
        queue = spawn.Queue()
        for item in (*packs, *[None] * len(self.visible)):
            queue.put(item)
        processes = []
        for device in self.visible:
            with _environment("CUDA_VISIBLE_DEVICES", device):
                process = spawn.Process(target=_pull, args=(work, queue, os.getpid()))
                process.start()
            processes.append(process)
        try:
            for process in processes:
                process.join()
        finally:  # stopped while they run
            for process in processes:
                process.kill()
        queue.cancel_join_thread()  # what a dead process left in it would be waited for
        dead = {d: p.exitcode for d, p in zip(self.visible, processes, strict=True) if p.exitcode}
        if dead:
            raise RuntimeError(f"exit status by GPU: {dead}")


def gpus(text: str) -> tuple[str, ...]:
    """The GPUs of ``--gpus``: ``all``, or the first N; within CUDA_VISIBLE_DEVICES if that is set.

    Raises:
        UserError: not a number, no GPU here, or fewer than asked for.
    """
    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    ids = [str(i) for i in range(count)] if visible is None else visible.split(",")[:count]
    if count == 0:
        raise UserError(f"--gpus {text}: torch {torch.__version__} finds no CUDA GPU here")
    if text == "all":
        return tuple(ids)
    if not text.isdecimal() or not 1 <= int(text) <= count:
        raise UserError(f"--gpus {text!r} should be 'all' or a number from 1 to {count}")
    return tuple(ids[: int(text)])


def _pull(work: Callable[[T], None], queue: multiprocessing.Queue[T | None], parent: int) -> None:
    end_worker_with(parent)
    while (pack := queue.get()) is not None:
        work(pack)


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
