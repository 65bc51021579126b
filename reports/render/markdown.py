"""Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pandas as pd
from tabulate import tabulate

from nlbench.reports.compare.comparison import DECLARED, EXPLORATORY, Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import MARK_WORDS, accuracy_caption, accuracy_notes
from nlbench.reports.render.grid import (
    COLLAPSED,
    INCOMPLETE,
    MOST_COLUMNS,
    UNPAIRED,
    GridCell,
    GridRow,
    MethodRow,
    accuracy_grid,
    marks_used,
    method_rows,
)
from nlbench.reports.render.told import told
from nlbench.reports.render.verdicts import (
    HEADERS,
    averages,
    declaration,
    exploration,
    planned,
    row,
)
from nlbench.reports.stats import SIGN_FLIP
from nlbench.reports.text import NONE, interval, number, one_line, p_value, rate

MARKS = {INCOMPLETE: "†", COLLAPSED: "‡", UNPAIRED: "§"}
_SPECIAL = re.compile(r"([\\|*`<~$]|(?<![^\W_])_|_(?![^\W_])|(?<=\])[(\[])")


def escape(text: str) -> str:
    """Any user's text as Markdown that shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A pipe table; the first ``left`` columns are left-aligned, the others right."""
    align = ["left"] * left + ["right"] * (len(headers) - left)
    return tabulate(rows, headers, tablefmt="pipe", disable_numparse=True, colalign=align)


def bullets(lines: Iterable[str]) -> str:
    """Any user's sentences as a list."""
    return "\n".join(f"- {escape(line)}" for line in lines)


def accuracy_markdown(results: Results, leaderboard: pd.DataFrame) -> str:
    """The accuracy tables of all blocks, each with its caption."""
    parts = [f"# {escape(results.study.title)}: accuracy"]
    for block in results.blocks:
        grid = accuracy_grid(block, leaderboard)
        parts.append(f"## {escape(block.title)}")
        parts.append(grid_table(results, block, grid))
        parts += words_under(results, block, grid)
    return "\n\n".join(parts) + "\n"


def words_under(results: Results, block: Block, grid: Sequence[GridRow]) -> list[str]:
    """Caption, key to the marks and notes of an accuracy table, a paragraph each."""
    return [*caption_under(results, block, grid), notes_under(results, block)]


def caption_under(results: Results, block: Block, grid: Sequence[GridRow]) -> list[str]:
    """Caption of an accuracy table and key to its marks."""
    key = [f"{MARKS[mark]} {MARK_WORDS[mark]}." for mark in marks_used(grid)]
    return [f"*{escape(' '.join(accuracy_caption(results, block)))}*", *key]


def notes_under(results: Results, block: Block) -> str:
    """What is to be known of an accuracy table, as one paragraph."""
    return f"Notes: {escape(' '.join(accuracy_notes(results, block, rates=False)))}"


def grid_table(results: Results, block: Block, grid: Sequence[GridRow]) -> str:
    """One accuracy table: conditions x methods, or methods x conditions where they are many."""
    if len(block.methods) > MOST_COLUMNS:
        best = results.best_overall(block)
        return _methods_table(method_rows(block, grid, best, told(results, block)), grid)
    headers = ["noise", "rate", "realised", *(escape(m) for m in block.methods)]
    rows = [
        [
            escape(row.condition.type.replace(":", " ")),
            rate(row.condition.nominal),
            rate(row.condition.realised),
            *(accuracy_cell(cell) for cell in row.cells),
        ]
        for row in grid
    ]
    return table(headers, rows)


def _methods_table(methods: Sequence[MethodRow], grid: Sequence[GridRow]) -> str:
    names = [escape(pretty_condition(row.condition.line)) for row in grid]
    some = any(row.told for row in methods)
    rows = [
        [
            escape(row.method),
            *([escape(row.told)] if some else []),
            *(accuracy_cell(cell) for cell in row.cells),
            f"**{number(row.mean)}**" if row.best else number(row.mean),
        ]
        for row in methods
    ]
    heads = ["method", *(["told"] if some else [])]
    return table([*heads, *names, "mean"], rows, left=len(heads))


def accuracy_cell(cell: GridCell | None) -> str:
    """``**93.10 ± 0.21**`` with marks; ``–`` for none."""
    if cell is None:
        return ""
    marks = "".join(MARKS[mark] for mark in cell.marks)
    count = f" {marks}{cell.count}" if marks else ""
    if cell.mean is None:
        return f"{NONE}{count}"
    text = f"{number(cell.mean)} ± {number(cell.sd)}"
    return (f"**{text}**" if cell.bold else text) + count


SIGNIFICANCE_HEADERS = (
    "condition", "comparison", "n", "difference", "95 % interval", "p", "p_Holm", "sign-flip p",
    "d_z", "ρ", "verdict",
)  # fmt: skip


def significance_row(verdict: Comparison) -> list[str]:
    """One comparison as table cells, in the order of SIGNIFICANCE_HEADERS, unescaped."""
    return [
        pretty_condition(verdict.condition),
        f"{verdict.a} vs {verdict.b}",
        f"{verdict.n}" if verdict.n == verdict.expected_n else f"{verdict.n}/{verdict.expected_n}",
        number(verdict.estimate, sign=True),
        interval(verdict.ci_low, verdict.ci_high) or NONE,
        p_value(verdict.p),
        p_value(verdict.p_holm),
        p_value(verdict.p_sign_flip),
        number(verdict.hedges),
        number(verdict.rho),
        f"none: gate {verdict.gate} comes first" if verdict.closed_by else verdict.words,
    ]


def significance_markdown(results: Results) -> str:
    """The declared verdicts gate by gate, then every comparison as a row and as a sentence."""
    parts = [f"# {escape(results.study.title)}: significance", _notes(results)]
    if results.gates:
        parts += ["## Declared verdicts, gate by gate", escape(declaration(results))]
        rows = [[escape(cell) for cell in row(gate)] for gate in results.gates]
        parts += [table(HEADERS, rows, left=2), bullets(averages(results.gates))]
    for block in results.blocks:
        parts += [f"## {escape(block.title)}", *_block_significance(results, block)]
    return "\n\n".join(parts) + "\n"


def _block_significance(results: Results, block: Block) -> list[str]:
    verdicts = results.in_block(block)
    if not verdicts:
        return ["One method: there is nothing to compare."]
    parts = list(filter(None, [planned(results, block)]))
    for role, title, words in (
        (DECLARED, "Declared comparisons by condition", ""),
        (EXPLORATORY, "All other pairs (exploratory)", exploration(verdicts)),
    ):
        chosen = [v for v in verdicts if v.role == role]
        if chosen:
            rows = [[escape(cell) for cell in significance_row(v)] for v in chosen]
            parts += [f"### {title}", *filter(None, [escape(words)])]
            parts.append(table(SIGNIFICANCE_HEADERS, rows, left=2))
            parts.append(bullets(v.sentence() for v in chosen))
    return parts


def _notes(results: Results) -> str:
    """What the columns are."""
    # Where it is the test that decides, it is no second test.
    companion = "" if results.test == SIGN_FLIP else ", so it is a companion, not the verdict"
    return (
        "Differences are first minus second, in points of accuracy, over the seeds that both"
        f" methods have; two-sided {results.test.title}, Student interval. p_Holm of a declared"
        " comparison is corrected over the whole report, gate by gate; that of an exploratory one"
        " by Holm over the other pairs of its table. Families are as large as declared, run or"
        " not. The sign-flip p assumes only symmetry; with n seeds it cannot be below 2/2ⁿ (0.062"
        f" for 5){companion}. d_z is the mean difference over the standard deviation of the"
        " differences, with Hedges' correction. ρ is the correlation of the two methods over"
        " seeds: what pairing gains."
    )
