r"""Accuracy tables in LaTeX: methods side by side, or a long table of them where they are many."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.render.caption import MARK_WORDS, accuracy_caption, accuracy_notes
from nlbench.reports.render.grid import (
    MOST_COLUMNS,
    GridCell,
    GridRow,
    MethodRow,
    accuracy_grid,
    marks_used,
    method_rows,
)
from nlbench.reports.render.latex import MARKS, SETUP, escape, label
from nlbench.reports.render.told import told
from nlbench.reports.text import number, rate

# Conditions that fit beside a method's name and mean on an upright page, and on one turned.
UPRIGHT, TURNED = 6, 10
HEAD = "% Made by nlbench report; needs \\usepackage{booktabs,siunitx,textcomp} and T1 fonts.\n"
HEAD_LARGE = (
    "% Of many methods: needs \\usepackage{longtable,pdflscape} too, and one column of text.\n"
)


def accuracy_latex(results: Results, leaderboard: pd.DataFrame) -> str:
    """The accuracy tables of all blocks with captions, and notes below them."""
    head, tables = HEAD, []
    for block in results.blocks:
        grid = accuracy_grid(block, leaderboard)
        if len(block.methods) > MOST_COLUMNS:
            head = HEAD + HEAD_LARGE
            tables += _long_tables(results, block, grid)
        else:
            tables.append(_float(results, block, grid))
    return head + "\n".join(tables)


def _float(results: Results, block: Block, grid: Sequence[GridRow]) -> str:
    return "\n".join(
        [
            "\\begin{table}",
            "\\centering\\small",
            SETUP,
            f"\\caption{{{_caption(results, block)}}}",
            f"\\label{{{label(results, 'accuracy', block)}}}",
            _tabular(block, grid),
            f"\n\\smallskip\n{_notes(results, block, grid)}",
            "\\end{table}",
            "",
        ]
    )


def _caption(results: Results, block: Block) -> str:
    return " ".join(escape(s) for s in accuracy_caption(results, block))


def _notes(results: Results, block: Block, grid: Sequence[GridRow]) -> str:
    key = [f"${MARKS[mark]}$: {escape(MARK_WORDS[mark])}." for mark in marks_used(grid)]
    words = " ".join([*key, *(escape(s) for s in accuracy_notes(results, block))])
    return f"\\parbox{{\\linewidth}}{{\\footnotesize Notes: {words}}}"


def _long_tables(results: Results, block: Block, grid: Sequence[GridRow]) -> list[str]:
    """One table over as many pages as it takes; several where the conditions need them."""
    methods = method_rows(block, grid, results.best_overall(block), told(results, block))
    turned = len(grid) > UPRIGHT
    width = TURNED if turned else UPRIGHT
    tables = []
    for start in range(0, len(grid), width):
        columns = range(start, min(start + width, len(grid)))
        words = _caption(results, block) if start == 0 else "Further conditions of the same."
        name = label(results, "accuracy", block) + (f"-{start // width + 1}" if start else "")
        body = _long_table(methods, grid, columns, words, name)
        if columns.stop == len(grid):
            body += f"\\noindent{_notes(results, block, grid)}\n"
        tables.append(f"\\begin{{landscape}}\n{body}\\end{{landscape}}\n" if turned else body)
    return tables


def _long_table(
    methods: Sequence[MethodRow], grid: Sequence[GridRow], columns: range, words: str, name: str
) -> str:
    specs = "".join(_column([row.cells[i] for row in methods]) for i in columns)
    some = any(row.told for row in methods)
    heads, last = _long_heads([grid[i] for i in columns], some), len(columns) + 2 + some
    names = "ll" if some else "l"
    lines = [
        f"\\begingroup\\scriptsize\\setlength{{\\tabcolsep}}{{3pt}}\n{SETUP}",
        f"\\setlength{{\\LTcapwidth}}{{\\linewidth}}\n\\begin{{longtable}}{{{names}{specs}r}}",
        f"\\caption{{{words}}}\\label{{{name}}}\\\\\n{heads}\\endfirsthead",
        f"\\multicolumn{{{last}}}{{l}}{{Continued.}}\\\\\n{heads}\\endhead",
        "\\bottomrule\n\\endfoot",
    ]
    for row in methods:
        mean = "--" if row.mean is None else number(row.mean)
        head = [escape(row.method), *([escape(row.told)] if some else [])]
        cells = [*head, *(accuracy_cell(row.cells[i]) for i in columns)]
        lines.append(" & ".join([*cells, f"\\textbf{{{mean}}}" if row.best else mean]) + " \\\\")
    return "\n".join([*lines, "\\end{longtable}", "\\endgroup", ""])


def _long_heads(conditions: Sequence[GridRow], some_told: bool) -> str:
    """Noise types over their rates, after a column of what methods were told if any was."""
    kinds: dict[str, int] = {}
    for row in conditions:
        kinds[row.condition.type] = kinds.get(row.condition.type, 0) + 1
    types, rules, at = [], [], 2 + some_told
    for kind, count in kinds.items():
        types.append(f"\\multicolumn{{{count}}}{{c}}{{{escape(kind.replace(':', ' '))}}}")
        rules.append(f"\\cmidrule(lr){{{at}-{at + count - 1}}}")
        at += count
    rates = [f"{{{rate(row.condition.nominal)}}}" for row in conditions]
    return (
        f"\\toprule\n{' &' * some_told} & {' & '.join(types)} & \\\\\n{''.join(rules)}\n"
        f"Method{' & Told' * some_told} & {' & '.join(rates)} & Mean \\\\\n\\midrule\n"
    )


def _tabular(block: Block, grid: Sequence[GridRow]) -> str:
    chosen = range(len(block.methods))
    heads = ["Noise", "Rate", *(f"{{{escape(block.methods[i])}}}" for i in chosen)]
    specs = "".join(_column([row.cells[i] for row in grid]) for i in chosen)
    lines = [f"\\begin{{tabular}}{{ll{specs}}}", "\\toprule"]
    lines += [" & ".join(heads) + " \\\\", "\\midrule"]
    for number_, row in enumerate(grid):
        if row.opens and number_ and _needs_space(grid, number_):
            lines.append("\\addlinespace")
        name = escape(row.condition.type.replace(":", " ")) if row.opens else ""
        cells = [name, rate(row.condition.nominal), *(accuracy_cell(row.cells[i]) for i in chosen)]
        lines.append(" & ".join(cells) + " \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])


def _needs_space(grid: Sequence[GridRow], at: int) -> bool:
    """Groups are set apart where one of the two neighbours has several rates."""
    alone = at + 1 == len(grid) or grid[at + 1].opens
    return not (alone and grid[at - 1].opens)


def accuracy_cell(cell: GridCell | None) -> str:
    r"""``\bfseries 93.10 \pm 0.21`` for an ``S`` column, marks behind it; ``{--}`` for none."""
    if cell is None:
        return ""
    marks = _marks(cell)
    if cell.mean is None:
        return f"{{--{marks}}}"
    sd = f" \\pm {number(cell.sd)}" if cell.sd is not None else ""
    text = f"{number(cell.mean)}{sd}"
    behind = marks if sd else f"\\,$\\pm$\\,--{marks}"
    return ("\\bfseries " if cell.bold else "") + text + (f" {{{behind}}}" if behind else "")


def _marks(cell: GridCell) -> str:
    marks = "".join(MARKS[mark] for mark in cell.marks)
    if cell.count:
        marks += f"\\,{cell.count}"
    return f"$^{{{marks}}}$" if marks else ""


def _column(cells: Sequence[GridCell | None]) -> str:
    """An ``S`` column as wide as its widest mean, standard deviation and marks; ``c`` for none."""
    there = [cell for cell in cells if cell is not None and cell.mean is not None]
    if not there:
        return "c"
    whole = max(len(number(cell.mean).partition(".")[0]) for cell in there)
    spread = [len(number(cell.sd).replace(".", "")) for cell in there if cell.sd is not None]
    # siunitx counts the digits of an uncertainty without its point: 0.21 has (2), 12.30 has (4).
    digits = max((n - 1 if n == 3 else n for n in spread), default=0)
    words = [f"table-format={whole}.2" + (f"({digits})" if digits else "")]
    post = max((_marks(cell) for cell in there), key=len)
    words += [f"table-space-text-post={{{post}}}"] if post else []
    return f"S[{','.join(words)}]"
