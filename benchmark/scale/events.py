"""Virtual time: processes that go on in the order of their times, and what serves them in turn."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Generator

# A worker: yields the time it wants to go on at, and is sent the time when it does.
Process = Generator[float, float, None]
Step = Generator[float, float, float]  # a part of its life, and the time after it
PARKED = math.inf  # the time of one that somebody else will wake


class Clock:
    """Runs processes by their times; those of equal times in the order they asked.

    Attributes:
        current: the one that goes on now.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Process]] = []
        self._count = itertools.count()
        self.current: Process | None = None

    def start(self, process: Process) -> None:
        """Add one that has not begun; its first yield is the time it begins at."""
        self.wake(process, next(process))

    def wake(self, process: Process, at: float) -> None:
        """Let one go on at a time that is not past."""
        heapq.heappush(self._waiting, (at, next(self._count), process))

    def run(self) -> float:
        """Until none wants to go on; the time then."""
        now = 0.0
        while self._waiting:
            now, _, process = heapq.heappop(self._waiting)
            self.current = process
            try:
                at = process.send(now)
            except StopIteration:
                continue
            if at < PARKED:
                self.wake(process, at)
        return now


class Server:
    """Serves one after the other in the order they come.

    Attributes:
        busy: seconds it has worked.
    """

    def __init__(self) -> None:
        self.busy = 0.0
        self._free = 0.0

    def serve(self, now: float, work: float) -> float:
        """When so much work that comes now is done; calls are in the order of time."""
        self._free = max(self._free, now) + work
        self.busy += work
        return self._free
