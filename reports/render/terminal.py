"""The report in short, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from tabulate import tabulate

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.best import SHARE
from nlbench.reports.render.grid import GridCell, accuracy_grid
from nlbench.reports.render.markdown import MARKS
from nlbench.reports.text import number

SENTENCES = 12


def terminal_text(results: Results, leaderboard: pd.DataFrame, warnings: Sequence[str]) -> str:
    """Accuracy tables, the verdicts against the baseline, and every warning; no markup."""
    study = results.study
    parts = [study.title, *([f"Part of a study: {study.part}."] if study.part else [])]
    for block in results.blocks:
        parts += [block.title, _table(block, leaderboard), *_verdicts(results, block)]
    parts += [f"Note: {line}." for line in warnings]
    return "\n".join(parts)


def _table(block: Block, leaderboard: pd.DataFrame) -> str:
    rows = [
        [pretty_condition(row.condition.line), *(_cell(cell) for cell in row.cells)]
        for row in accuracy_grid(block, leaderboard)
    ]
    align = ["left", *["right"] * len(block.methods)]
    headers = ["noise", *block.methods]
    return tabulate(rows, headers, tablefmt="simple", disable_numparse=True, colalign=align)


def _cell(cell: GridCell | None) -> str:
    if cell is None:
        return ""
    star = "*" if cell.bold else " "
    marks = "".join(MARKS[mark] for mark in cell.marks) + cell.count
    return f"{number(cell.mean)} ± {number(cell.sd)}{star}{marks}"


def _verdicts(results: Results, block: Block) -> list[str]:
    found = results.in_block(block)
    if not found:
        return []
    shown = [v for v in found if v.b in results.baseline]
    lines = [
        f"* {SHARE} best set",
        *map(_sentence, shown[:SENTENCES]),
    ]
    if len(found) > SENTENCES:
        lines.append(f"... {len(found)} comparisons in all: significance.md")
    return lines


def _sentence(verdict: Comparison) -> str:
    return f"- {verdict.sentence()}"
