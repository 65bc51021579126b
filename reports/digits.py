"""How many digits the CSV files of a report have."""

from __future__ import annotations

# Of percentages; CSVs and rendered tables start from the same rounded numbers.
DECIMALS = 6


def rounded(value: float | None) -> float | None:
    """Points with :data:`DECIMALS` decimals; ``None`` for none and for NaN."""
    return None if value is None or value != value else round(value, DECIMALS)


def significant(value: float | None) -> float | None:
    """Six significant digits; ``None`` for none and for NaN."""
    return None if value is None or value != value else float(f"{value:.6g}")
