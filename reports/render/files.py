"""How reports write their files: the same table or text gives the same bytes everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlbench.noise import whole

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet computes a cell that starts so, whoever wrote it.
FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def to_csv(table: pd.DataFrame) -> str:
    """CSV text: comma, ``.``, LF, empty for none; texts are texts to a spreadsheet too."""
    return harmless(table).to_csv(index=False, lineterminator="\n")


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before every text that a spreadsheet would compute.

    Methods, data sets and errors are named by whoever made them: ``=cmd|...`` would be run by some
    programs that open the file. Texts that are numbers, such as ``-0.5``, stay what they are.
    """
    kept = table.rename(columns=harmless_cell)
    for at, kind in enumerate(table.dtypes):
        if kind.kind in "biufcmM":
            continue
        values = table.iloc[:, at].tolist()
        changed = [harmless_cell(value) for value in values]
        if any(new is not old for new, old in zip(changed, values, strict=True)):
            kept = kept.astype({kept.columns[at]: "object"})
            kept.isetitem(at, changed)
    return kept


def harmless_cell(value: Any) -> Any:
    """One cell, see :func:`harmless`."""
    dangerous = isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value)
    return f"'{value}" if dangerous else value


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write :func:`to_csv` without holding the text."""
    with whole.writing(path) as file:
        harmless(table).to_csv(file, index=False, lineterminator="\n", encoding="utf-8")


def write_text(text: str, path: Path) -> None:
    """Write UTF-8 with LF on every system."""
    whole.write_text(path, text)
