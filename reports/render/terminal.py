"""The report in short, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from tabulate import tabulate

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.answer import answer
from nlbench.reports.render.best import SHARE
from nlbench.reports.render.grid import MOST_COLUMNS, GridCell, accuracy_grid, method_rows
from nlbench.reports.render.markdown import MARKS
from nlbench.reports.render.told import told
from nlbench.reports.text import number

SENTENCES = 12


def terminal_text(results: Results, leaderboard: pd.DataFrame, warnings: Sequence[str]) -> str:
    """The answer, accuracy tables, verdicts against the baseline, every warning; no markup."""
    study = results.study
    parts = [study.title, *([f"Part of a study: {study.part}."] if study.part else [])]
    parts += [f"{what}: {line}" for what, line in answer(results).lines]
    for block in results.blocks:
        parts += [block.title, _table(results, block, leaderboard), *_verdicts(results, block)]
    parts += [f"Note: {line}." for line in warnings]
    return "\n".join(parts)


def _table(results: Results, block: Block, leaderboard: pd.DataFrame) -> str:
    """Conditions x methods, or methods x conditions where they are many, as in index.md."""
    grid = accuracy_grid(block, leaderboard)
    names = [pretty_condition(row.condition.line) for row in grid]
    if len(block.methods) > MOST_COLUMNS:
        found = method_rows(block, grid, results.best_overall(block), told(results, block))
        some = any(row.told for row in found)
        headers = ["method", *(["told"] if some else []), *names, "mean"]
        rows = [
            [
                row.method,
                *([row.told] if some else []),
                *map(_cell, row.cells),
                number(row.mean) + ("*" if row.best else " "),
            ]
            for row in found
        ]
    else:
        headers = ["noise", *block.methods]
        rows = [[name, *map(_cell, row.cells)] for name, row in zip(names, grid, strict=True)]
    align = ["left", *["right"] * (len(headers) - 1)]
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
    many = len(block.methods) > MOST_COLUMNS  # the first few of hundreds would show nothing
    shown = [] if many else [v for v in found if v.b in results.baseline]
    lines = [f"* {SHARE} best set", *map(_sentence, shown[:SENTENCES])]
    if len(found) > SENTENCES:
        lines.append(f"... {len(found)} comparisons in all: significance.md")
    return lines


def _sentence(verdict: Comparison) -> str:
    return f"- {verdict.sentence()}"
