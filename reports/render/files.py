"""How reports write their files: the same table or text gives the same bytes everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nlbench.noise import whole

if TYPE_CHECKING:
    import pandas as pd


def to_csv(table: pd.DataFrame) -> str:
    """CSV text: comma, ``.``, LF, empty for none."""
    return table.to_csv(index=False, lineterminator="\n")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write :func:`to_csv` without holding the text."""
    with whole.writing(path) as file:
        table.to_csv(file, index=False, lineterminator="\n", encoding="utf-8")


def write_text(text: str, path: Path) -> None:
    """Write UTF-8 with LF on every system."""
    whole.write_text(path, text)
