"""One worker's work on one run: until it is done, or until the worker's end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nlbench.benchmark.scale.study import Life


@dataclass(frozen=True)
class Attempt:
    """What came of it.

    Attributes:
        seconds: how long it went on.
        kept: of these, what need not be done again.
        done: whether nothing is left.
        noticed: if not, whether its end came with notice.
    """

    seconds: float
    kept: float
    done: bool
    noticed: bool = False

    @property
    def lost(self) -> float:
        """Seconds to be done again."""
        return self.seconds - self.kept


class Worker:
    """When its next end comes; it has no memory."""

    def __init__(self, life: Life, draws: np.random.Generator, now: float = 0.0) -> None:
        self.life, self._draws = life, draws
        self.begin(now)

    def begin(self, now: float) -> None:
        """Live from now on."""
        rate = self.life.rate
        self.end = now + float(self._draws.exponential(1 / rate)) if rate else math.inf
        self.noticed = bool(rate) and self._draws.random() < 1 / self.life.preemption / rate

    def gone(self, now: float) -> bool:
        """Whether its end is past."""
        return now >= self.end

    def attempt(self, now: float, work: float) -> Attempt:
        """Train for so many seconds, if it lives so long."""
        if now + work < self.end:
            return Attempt(work, work, done=True)
        spent, every = max(self.end - now, 0.0), self.life.checkpoint
        last = every * (spent // every) if math.isfinite(every) else 0.0
        kept = spent if self.noticed and math.isfinite(every) else last
        return Attempt(spent, kept, done=False, noticed=self.noticed)
