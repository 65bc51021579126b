"""Positions of numbers in a drawn interval: pure geometry, the numbers are the leaderboard's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import MaxNLocator

PAD = 6.0


@dataclass(frozen=True)
class Scale:
    """A linear axis, the same for every row of a column.

    Attributes:
        low: value at the left end.
        high: value at the right end.
        width: in pixels, with PAD on both sides.
    """

    low: float
    high: float
    width: float

    @classmethod
    def over(cls, values: Iterable[Any], width: float, zero: bool = False) -> Scale:
        """The axis that holds all values (``None`` is skipped), and 0 if asked for."""
        there = [float(v) for v in values if v is not None] + ([0.0] if zero else [])
        low, high = (min(there), max(there)) if there else (0.0, 1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
        return cls(low, high, width)

    def x(self, value: float | None) -> float | None:
        """Pixels from the left, one decimal."""
        if value is None:
            return None
        share = (value - self.low) / (self.high - self.low)
        return round(PAD + share * (self.width - 2 * PAD), 1)

    @property
    def ticks(self) -> list[dict[str, Any]]:
        """Three to five round numbers inside."""
        steps = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        inside = [float(v) for v in steps if self.low <= v <= self.high]
        return [{"x": self.x(v), "text": f"{v:g}".replace("-", "−")} for v in inside]

    def bar(self, low: float | None, middle: float | None, high: float | None) -> dict[str, Any]:
        """An interval with its middle, in pixels."""
        return {"low": self.x(low), "middle": self.x(middle), "high": self.x(high)}

    def axis(self) -> dict[str, Any]:
        """What a template needs to draw the axis."""
        return {"width": self.width, "ticks": self.ticks, "zero": self._zero()}

    def _zero(self) -> float | None:
        return self.x(0.0) if self.low <= 0 <= self.high else None
