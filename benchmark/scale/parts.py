"""The runs of a simulated study that nobody trains, in the parts of its workers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Run:
    """One that nobody trains.

    Attributes:
        part: whose it is.
        whole: seconds of it.
        left: of these, what no checkpoint has.
    """

    part: int
    whole: float
    left: float


class Parts:
    """Each worker's part.

    Attributes:
        free: how many runs are in all of them.
    """

    def __init__(self, seconds: NDArray[np.float64], workers: int) -> None:
        parts = [seconds[at::workers].tolist() for at in range(workers)]
        self._of = [deque(Run(at, t, t) for t in part) for at, part in enumerate(parts)]
        # Those that had runs when they were drawn last, in no order; whether each is among them.
        self._open = list(range(workers))
        self._listed = [True] * workers
        self.free = len(seconds)

    def has(self, part: int) -> bool:
        """Whether there is a run in it."""
        return bool(self._of[part])

    def take(self, part: int) -> Run:
        """The next of a part that has one."""
        self.free -= 1
        return self._of[part].popleft()

    def back(self, run: Run) -> None:
        """One that was not finished: the next of its part."""
        self.free += 1
        self._of[run.part].appendleft(run)
        if not self._listed[run.part]:
            self._listed[run.part] = True
            self._open.append(run.part)

    def any(self, draws: np.random.Generator) -> int:
        """A part that has a run, any of them; there must be one."""
        while True:
            at = int(draws.integers(len(self._open)))
            if self._of[part := self._open[at]]:
                return part
            self._open[at] = self._open[-1]
            self._open.pop()
            self._listed[part] = False
