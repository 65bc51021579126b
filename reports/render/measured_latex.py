r"""Tables of a measure in LaTeX: ``booktabs`` only, split where a page is full."""

from __future__ import annotations

from collections.abc import Sequence

from nlbench.reports.render.latex import escape
from nlbench.reports.text import NONE

ROWS_PER_PAGE = 40


def pages(
    caption: str,
    label: str,
    heads: Sequence[str],
    left: int,
    rows: Sequence[Sequence[str]],
    size: str = "scriptsize",
) -> str:
    """Floats that fit a page each; continued ones say so.

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


def _line(row: Sequence[str]) -> str:
    return " & ".join(row) + " \\\\" if row else "\\addlinespace"
