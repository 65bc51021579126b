"""Tables that fit the terminal, and results as JSON for other programs."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence

from tabulate import tabulate

# Characters between two columns, and those that tabulate gives a title beyond its own.
GAP = PADDING = 2


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option ``--json``."""
    parser.add_argument(
        "--json", action="store_true", help="print the result as JSON, for other programs"
    )


def print_json(value: object) -> None:
    """Print one JSON document."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def terminal_width() -> int | None:
    """Characters of a line; ``None`` where output goes into a file or a pipe without COLUMNS."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        return None
    return shutil.get_terminal_size().columns


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """A plain table; where it is wider than ``width``, its widest columns are wrapped."""
    if width is None:
        return tabulate(rows, headers=headers, disable_numparse=True)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(headers)
    widths = [
        max(len(title) + PADDING, *(len(line) for cell in column for line in cell.splitlines()), 0)
        for title, column in zip(headers, columns, strict=True)
    ]
    least = [max(map(len, title.split()), default=0) + PADDING for title in headers]
    limits = column_limits(widths, least, width - GAP * (len(headers) - 1))
    return tabulate(
        rows,
        headers=headers,
        disable_numparse=True,
        maxcolwidths=limits,
        maxheadercolwidths=[limit - PADDING or 1 for limit in limits],
    )


def column_limits(widths: Sequence[int], least: Sequence[int], total: int) -> list[int]:
    """Widths that add up to ``total`` at most: the widest columns are cut to one common width.

    No column is cut to less than its ``least``, so a very narrow terminal may be exceeded.
    """
    for limit in range(max(widths), 0, -1):
        limits = [min(w, max(limit, low)) for w, low in zip(widths, least, strict=True)]
        if sum(limits) <= total:
            return limits
    return [min(w, low) for w, low in zip(widths, least, strict=True)]
