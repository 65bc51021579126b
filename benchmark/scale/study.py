"""A made-up study: how long its runs take, and how often its workers are interrupted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOUR = 3600.0


@dataclass(frozen=True)
class Life:
    """What becomes of a worker, times in seconds; both kinds of end come by chance, at one rate.

    Attributes:
        failure: mean time between two ends without notice, ``inf``: never.
        preemption: mean time between two with notice: a checkpoint is written, if there are any.
        away: how long it is gone then.
        checkpoint: between two of a run, ``inf``: none, not even at notice.
    """

    failure: float = 200 * HOUR
    preemption: float = 20 * HOUR
    away: float = 120.0
    checkpoint: float = 600.0

    @property
    def rate(self) -> float:
        """Ends a second."""
        return 1 / self.failure + 1 / self.preemption


@dataclass(frozen=True)
class MadeUp:
    """A study and who trains it.

    Attributes:
        workers: how many.
        seconds: of work of each run, in the order of the study.
        life: of each worker.
        seed: of what is drawn.
    """

    workers: int
    seconds: NDArray[np.float64]
    life: Life
    seed: int = 0

    @classmethod
    def draw(
        cls, workers: int, each: int, mean: float, spread: float, life: Life, seed: int
    ) -> MadeUp:
        """A study of ``each`` runs a worker, their times log-normal.

        Args:
            workers: how many.
            each: runs for each of them.
            mean: seconds of a run.
            spread: standard deviation of the logarithm.
            life: of each worker.
            seed: of what is drawn.
        """
        draws = np.random.Generator(np.random.Philox(key=[seed, 0]))
        centre = math.log(mean) - spread**2 / 2
        return cls(workers, draws.lognormal(centre, spread, workers * each), life, seed)

    @property
    def ideal(self) -> float:
        """Seconds the study would take if all were shared out evenly and nothing cost anything."""
        return max(float(self.seconds.sum()) / self.workers, float(self.seconds.max()))

    def draws(self) -> np.random.Generator:
        """A generator for what happens meanwhile."""
        return np.random.Generator(np.random.Philox(key=[self.seed, 1]))
