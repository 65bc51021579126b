r"""LaTeX tables for ``booktabs`` and ``siunitx``, includable with one ``\input``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.render.caption import MARK_WORDS, accuracy_caption, accuracy_notes
from nlbench.reports.render.grid import (
    COLLAPSED,
    INCOMPLETE,
    UNPAIRED,
    GridCell,
    GridRow,
    accuracy_grid,
    marks_used,
)
from nlbench.reports.text import NONE, number, rate

COLUMNS_PER_TABULAR = 6
ROWS_PER_PAGE = 40  # of a table of measures
HEAD = "% Made by nlbench report; needs \\usepackage{booktabs,textcomp} and T1 fonts."
MARKS = {INCOMPLETE: "\\dagger", COLLAPSED: "\\ddagger", UNPAIRED: "\\S"}
_ESCAPES = {
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "&": "\\&",
    "%": "\\%",
    "$": "\\$",
    "#": "\\#",
    "_": "\\_",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\textquotedbl{}",
    "`": "\\textasciigrave{}",
    "±": "$\\pm$",
    "−": "$-$",
    "–": "--",
    "×": "$\\times$",
    "√": "$\\surd$",
    "·": "$\\cdot$",
    "ρ": "$\\rho$",
    "α": "$\\alpha$",
    "β": "$\\beta$",
    "≥": "$\\geq$",
    "≤": "$\\leq$",
    "≈": "$\\approx$",
    "ⁿ": "$^n$",
    "²": "$^2$",
    "…": "\\dots{}",
    "’": "'",
    "“": "``",
    "”": "''",
}
LIGATURES = "-,'`"  # two of these in a row are another character
# Inside the float, so that nothing of the paper's own settings changes. `detect-all` lets bold rows
# be bold with versions 2 and 3; a zero standard deviation is shown, not dropped.
SETUP = (
    "\\sisetup{mode=text,detect-all,separate-uncertainty=true,retain-zero-uncertainty=true,"
    "retain-explicit-plus=true,table-align-text-post=false}"
)
PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{\usepackage{mathptmx}}
\usepackage{booktabs}
\usepackage{siunitx}
\usepackage{graphicx}
\usepackage[a4paper,margin=2cm]{geometry}
"""


def escape(text: str) -> str:
    """Any user's text as LaTeX that prints it and cannot break the document.

    Letters that T1 fonts lack are written without their accents, everything else unknown as its
    code point.
    """
    parts = [""]
    for c in " ".join(text.split()):
        part = _character(c)
        if part and part[0] in LIGATURES and parts[-1].endswith(part[0]):
            parts.append("{}")
        if part:
            parts.append(part)
    return "".join(parts)


def accuracy_latex(results: Results, leaderboard: pd.DataFrame) -> str:
    """The accuracy tables of all blocks as floats with complete captions."""
    floats = [_float(results, block, accuracy_grid(block, leaderboard)) for block in results.blocks]
    head = "% Made by nlbench report; needs \\usepackage{booktabs,siunitx,textcomp} and T1 fonts.\n"
    return head + "\n".join(floats)


def document(name: str) -> str:
    """A minimal document that inputs ``name.tex``."""
    return (
        f"% A minimal document around {name}.tex.\n{PREAMBLE}\\begin{{document}}\n"
        f"\\input{{{name}}}\n\\end{{document}}\n"
    )


def label(results: Results, kind: str, block: Block) -> str:
    """A label without special characters: ``tab:quick-accuracy``, numbered from the second on."""
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in results.study.name)
    return f"tab:{name}-{kind}" + (f"-{block.index + 1}" if block.index else "")


def pages(
    caption: str,
    label: str,
    heads: Sequence[str],
    left: int,
    rows: Sequence[Sequence[str]],
    size: str = "scriptsize",
) -> str:
    """Floats that fit a page each; continued ones are marked.

    Args:
        caption: plain text.
        label: of the first float, no special characters.
        heads: plain text.
        left: so many columns are left-aligned, the others right.
        rows: TeX, of :func:`cell` and :func:`escape`; an empty row is a little space.
        size: of the letters, a command without its backslash.
    """
    columns = "l" * left + "r" * (len(heads) - left)
    title = " & ".join(escape(head) for head in heads)
    floats = []
    for start in range(0, max(len(rows), 1), ROWS_PER_PAGE):
        words = f"{escape(caption)}}}\n\\label{{{label}" if start == 0 else "Continued."
        body = "\n".join(_line(row) for row in rows[start : start + ROWS_PER_PAGE])
        floats.append(
            f"\\begin{{table}}\n\\centering\\{size}\\setlength{{\\tabcolsep}}{{2.6pt}}\n"
            f"\\caption{{{words}}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{title} \\\\\n"
            f"\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
        )
    return "\n".join(floats)


def cell(text: str, bold: bool = False) -> str:
    """A number, interval or ``mean ± sd`` as TeX."""
    plain = text.replace("−", "$-$").replace(NONE, "--").replace("±", "$\\pm$").replace("<", "$<$")
    # A bracket after \\ would be taken for its argument.
    plain = plain.replace("[", "{[}").replace("]", "{]}")
    return f"\\textbf{{{plain}}}" if bold else plain


def _float(results: Results, block: Block, grid: Sequence[GridRow]) -> str:
    chunks = [
        range(start, min(start + COLUMNS_PER_TABULAR, len(block.methods)))
        for start in range(0, len(block.methods), COLUMNS_PER_TABULAR)
    ]
    key = [f"${MARKS[mark]}$: {escape(MARK_WORDS[mark])}." for mark in marks_used(grid)]
    caption = " ".join(escape(s) for s in accuracy_caption(results, block))
    notes = " ".join([*key, *(escape(s) for s in accuracy_notes(results, block))])
    return "\n".join(
        [
            "\\begin{table}",
            "\\centering\\small",
            SETUP,
            f"\\caption{{{caption}}}",
            f"\\label{{{label(results, 'accuracy', block)}}}",
            "\n\n\\medskip\n".join(_tabular(block, grid, chunk) for chunk in chunks),
            f"\n\\smallskip\n\\parbox{{\\linewidth}}{{\\footnotesize Notes: {notes}}}",
            "\\end{table}",
            "",
        ]
    )


def _tabular(block: Block, grid: Sequence[GridRow], columns: Iterable[int]) -> str:
    chosen = list(columns)
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


def _character(c: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if c.isascii():
        return c if c.isprintable() else ""
    if "À" <= c <= "ÿ" and c.isalpha():
        return c
    plain = unicodedata.normalize("NFKD", c)[0]
    if plain.isascii() and plain.isprintable() and plain not in _ESCAPES:
        return plain
    return f"[U+{ord(c):04X}]"


def _line(row: Sequence[str]) -> str:
    return " & ".join(row) + " \\\\" if row else "\\addlinespace"
