r"""LaTeX tables for ``booktabs`` and ``siunitx``, includable with one ``\input``."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.render.grid import COLLAPSED, INCOMPLETE, UNPAIRED
from nlbench.reports.text import NONE

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
\usepackage{longtable,pdflscape}
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
