"""How long a run takes on machines that are taken away now and then."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from nlbench.benchmark.store.outcomes import Outcome


@dataclass(frozen=True)
class Pace:
    """How long a run takes where nothing interrupts it, in seconds.

    Attributes:
        run: a whole run.
        epoch: one of its epochs.
    """

    run: float
    epoch: float

    @classmethod
    def of(cls, ended: Iterable[Outcome]) -> Pace | None:
        """The mean of runs that have ended well; ``None`` without any."""
        times = [
            (outcome.seconds, outcome.spec.recipe.epochs)
            for outcome in ended
            if outcome.status == "ok"
        ]
        if not times:
            return None
        run = sum(seconds for seconds, _ in times) / len(times)
        return cls(run, sum(seconds / epochs for seconds, epochs in times) / len(times))


def expected(work: float, mean: float) -> float:
    """Expected time of work that begins anew whenever it is interrupted: M (e^(T/M) − 1).

    Times between interruptions are exponential. Waiting for the next machine is not counted.

    Args:
        work: T, what it takes without interruptions.
        mean: M, the mean time between two of them, above 0.
    """
    try:
        return mean * math.expm1(work / mean)
    except OverflowError:
        return math.inf


def expected_in_parts(work: float, mean: float, part: float) -> float:
    """The same where only the part is done again that was begun, each as long as ``part``."""
    whole, rest = divmod(work, part)
    return whole * expected(part, mean) + expected(rest, mean)
