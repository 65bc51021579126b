"""What a simulated study came to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    """Seconds of all workers together.

    Attributes:
        trained: that became records.
        lost: trained, and done again.
        waited: for the driver or the file server.
        away: between an end and the next start.
        ends: when each run was done.
    """

    trained: float = 0.0
    lost: float = 0.0
    waited: float = 0.0
    away: float = 0.0
    ends: list[float] = field(default_factory=list)

    @property
    def waiting(self) -> float:
        """Share of the workers' time, their absence left out, for which they waited."""
        return self.waited / max(self.trained + self.lost + self.waited, 1e-12)

    @property
    def loss(self) -> float:
        """Share of what was trained that was done again."""
        return self.lost / max(self.trained + self.lost, 1e-12)


@dataclass(frozen=True)
class Result:
    """A study that is done.

    Attributes:
        seconds: until its last record was where it belongs.
        tally: of the workers.
        driver: share of that time for which the driver worked.
        server: share of the time until all calls had ended for which the file server worked.
    """

    seconds: float
    tally: Tally
    driver: float = 0.0
    server: float = 0.0
