"""Pack: several runs of one process side by side, a step of each in turn."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

import torch

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.training.checkpoint import LeftOff
from nlbench.benchmark.training.task import Ended, Job, Outcome, Task, failure

# A run in steps: it yields after each step it has queued on the device, and returns its outcome.
Steps = Generator[None, None, Outcome]


class BackendError(UserError):
    """The backend itself does not work here; no run is to blame, so none is recorded as failed."""


@dataclass
class _Running:
    position: int
    job: Job
    steps: Steps


class Pack:
    """Interleaves runs; where memory runs out, it goes on with half as many.

    Args:
        start: from a prepared task to its steps.
        slots: most runs at a time.
        fits: whether another run fits beside so many; asked before each start but the first.
    """

    def __init__(
        self,
        start: Callable[[Task], Steps],
        slots: int,
        fits: Callable[[int], bool] = lambda _running: True,
    ) -> None:
        self.limit = slots
        self._start = start
        self._fits = fits
        self._again: deque[tuple[int, Job]] = deque()
        self._running: list[_Running] = []

    def run(self, jobs: Iterable[Job]) -> Iterator[Ended]:
        """Run all jobs; yields each as it ends. See :class:`Backend`.

        Raises:
            BackendError: from a run; everything else that a run raises is its own outcome.
        """
        source = enumerate(jobs)
        try:
            while True:
                yield from self._fill(source)
                if not self._running:
                    return
                for run in tuple(self._running):
                    yield from self._advance(run)
        finally:
            for run in self._running:
                run.steps.close()

    def _fill(self, source: Iterator[tuple[int, Job]]) -> Iterator[Ended]:
        while len(self._running) < self.limit:
            if self._running and not self._fits(len(self._running)):
                return
            following = self._again.popleft() if self._again else next(source, None)
            if following is None:
                return
            position, job = following
            run = _Running(position, job, _begin(job, self._start))
            self._running.append(run)
            yield from self._advance(run)

    def _advance(self, run: _Running) -> Iterator[Ended]:
        """One step of one run, and what that led to."""
        ended: Ended
        try:
            next(run.steps)
            return
        except StopIteration as stop:
            ended = (run.position, stop.value)
        except BackendError:
            raise
        except LeftOff:
            self._running.remove(run)
            return
        except (Exception, SystemExit) as error:  # noqa: BLE001  # its neighbours go on
            if out_of_memory(error) and len(self._running) > 1:
                self._halve(run)
                error.__traceback__ = None  # it holds the tensors that are to be freed
                release()
                return
            ended = (run.position, failure(error))
        self._running.remove(run)
        yield ended

    def _halve(self, run: _Running) -> None:
        """Start ``run`` over when memory is free, with at most half as many runs as now."""
        self.limit = max(1, len(self._running) // 2)
        self._running.remove(run)
        self._again.append((run.position, run.job))


def out_of_memory(error: BaseException | None) -> bool:
    """Whether an error is, or was caused by, the device running out of memory.

    PyTorch's allocator raises an error of its own; where CUDA itself has no memory, as for another
    process's context, it is a RuntimeError like any other of CUDA (seen on an H200).
    """
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError):
            return True
        if isinstance(error, RuntimeError) and str(error).startswith("CUDA error: out of memory"):
            return True
        error = error.__cause__ or error.__context__
    return False


def _begin(job: Job, start: Callable[[Task], Steps]) -> Steps:
    """Preparation as the first part of the first step, so that its errors are handled alike."""
    task = job()
    steps = start(task)
    if task.check_time is None:
        return (yield from steps)
    while True:
        task.check_time()
        try:
            next(steps)
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome
        yield


def release() -> None:
    """Give memory that nothing holds any more back to the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
