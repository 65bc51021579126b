r"""Columns of a LaTeX table: numbers in ``S`` columns of siunitx, so that decimal points align."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"(\$-\$|\+)?(\d+)\.(\d+)")


def aligned(
    columns: str, heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[str, list[str], list[list[str]]]:
    r"""Turn right-aligned columns of decimal numbers into ``S`` columns.

    Args:
        columns: a letter per column; only those marked ``r`` are looked at.
        heads: LaTeX, one per column.
        rows: LaTeX cells; numbers as ``$-$1.20``, ``+0.31``, ``2.00``.

    Returns:
        The same three with ``S[table-format=...]`` where at least one cell is a number; other cells
        of such columns stand in braces, which is how ``S`` takes text.
    """
    specs, new_heads = list(columns), list(heads)
    cells = [list(row) for row in rows]
    for at, letter in enumerate(columns):
        found = [_NUMBER.fullmatch(row[at]) for row in cells] if letter == "r" else []
        numbers = [match for match in found if match]
        if not numbers:
            continue
        signed = "+" if any(match[1] for match in numbers) else ""
        whole = max(len(match[2]) for match in numbers)
        decimals = max(len(match[3]) for match in numbers)
        specs[at] = f"S[table-format={signed}{whole}.{decimals}]"
        new_heads[at] = f"{{{heads[at]}}}"
        for row, match in zip(cells, found, strict=True):
            row[at] = row[at].replace("$-$", "-") if match else f"{{{row[at]}}}"
    return "".join(specs), new_heads, cells
