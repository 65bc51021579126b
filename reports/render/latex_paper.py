r"""The rest of a paper's tables: significance, raw seeds, conditions; and one document of all."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.compare.comparison import DECLARED, EXPLORATORY, Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.drawn import Drawn
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import of_part
from nlbench.reports.render.latex import PREAMBLE, SETUP, escape
from nlbench.reports.render.markdown import SIGNIFICANCE_HEADERS, significance_row
from nlbench.reports.stats import WILCOXON
from nlbench.reports.text import NONE, number, p_value, plural

ROWS_PER_PAGE = 42
_ROLES = (
    (DECLARED, "Declared comparisons (p corrected over the whole report, gate by gate)"),
    (EXPLORATORY, "All other pairs, exploratory (Holm over these)"),
)
_NUMBER = re.compile(r"(\$-\$|\+)?(\d+)\.(\d+)")
SIZE = "width=\\linewidth,height=.85\\textheight,keepaspectratio"


def significance_latex(results: Results) -> str:
    """Every comparison of a block, declared and other ones, split where a page is full."""
    floats = []
    for block in results.blocks:
        verdicts = results.in_block(block)
        for role, words in _ROLES:
            chosen = [v for v in verdicts if v.role == role]
            caption = (
                f"{words} on {block.title}: mean paired difference in points over seeds, 95 %"
                f" Student interval, two-sided {results.test.title}, sign-flip p, Hedges-corrected"
                f" d_z, correlation over seeds.{of_part(results)}"
            )
            floats += _pages(caption, _HEADS, "ll" + "r" * 8 + "l", [_cells(v) for v in chosen])
    return "\n".join(floats) or "% One method: there is nothing to compare.\n"


def seeds_latex(results: Results) -> str:
    """Appendix of raw seeds: the accuracy of every single run."""
    floats = []
    for block in results.blocks:
        seeds = sorted({seed for cell in block.declared() for seed in cell.seeds})
        for start in range(0, len(seeds), 10):
            floats += _seed_pages(results, block, seeds[start : start + 10])
    return "\n".join(floats)


def overall_latex(results: Results) -> str:
    """Mean, IQM, worst condition and mean rank per method, and the pairs over conditions."""
    floats = [text for whole in results.overall for text in _overall(results, whole)]
    return "\n".join(floats) or "% Nothing to compare across conditions.\n"


def document_of_all(results: Results, tables: Sequence[str], drawn: Sequence[Drawn]) -> str:
    """A document that inputs every table and shows every figure."""
    lines = [PREAMBLE, "\\begin{document}", f"\\section*{{{escape(results.study.title)}}}"]
    lines += [escape(results.study.description)]
    lines += [f"\\input{{{name}}}\n\\clearpage" for name in tables]
    for figure in drawn:
        name = f"figures/{figure.name}"
        lines += [
            "\\begin{figure}\n\\centering",
            f"\\includegraphics[{SIZE}]{{{{{name}}}.pdf}}",
            f"\\caption{{{escape(figure.caption)}}}\n\\end{{figure}}\n\\clearpage",
        ]
    return "\n".join([*lines, "\\end{document}", ""])


_HEADS = [
    "condition", "comparison", "$n$", "diff.", "95 \\% interval", "$p$",
    "$p_{\\mathrm{Holm}}$", "$p_{\\mathrm{flip}}$", "$d_z$", "$\\rho$", "verdict",
]  # fmt: skip


def _cells(verdict: Comparison) -> list[str]:
    cells = [escape(cell) for cell in significance_row(verdict)]
    assert len(cells) == len(SIGNIFICANCE_HEADERS)
    return [*cells[:-1], cells[-1].split(":")[0]]


def _seed_pages(results: Results, block: Block, seeds: Sequence[int]) -> list[str]:
    rows = []
    for cell in block.declared():
        values = dict(zip(cell.seeds, cell.values, strict=True))
        shown = [_plain(number(values.get(seed))) for seed in seeds]
        rows.append([escape(pretty_condition(cell.condition)), escape(cell.method), *shown])
    caption = (
        f"Every run on {block.title}: test accuracy (%), accuracy rule {results.rule}, one column"
        f" per seed; a diverged run counts with chance accuracy.{of_part(results)}"
    )
    heads = ["condition", "method", *(f"seed {seed}" for seed in seeds)]
    return _pages(caption, heads, "ll" + "r" * len(seeds), rows)


def _overall(results: Results, whole: Overall) -> list[str]:
    methods = [
        [
            escape(m.method),
            _plain(number(m.mean.value)),
            _interval(m.mean.low, m.mean.high),
            number(m.iqm),
            number(m.worst),
            number(m.mean_rank),
        ]
        for m in sorted(whole.methods, key=lambda m: m.mean_rank)
    ]
    pairs = [
        [
            escape(f"{p.a} vs {p.b}"),
            _plain(number(p.difference.estimate, sign=True)),
            _interval(p.difference.low, p.difference.high),
            f"{p.higher}/{p.ties}/{p.lower}",
            f"{p.better}/{p.worse}",
            _plain(p_value(p.difference.p)),
            _plain(p_value(p.p_holm)),
            _plain(p_value(p.p_conditions)),
            number(p.improvement.value),
        ]
        for p in whole.pairs
    ]
    over = f"{plural(len(whole.conditions), 'condition')} (profile {whole.profile}"
    first = (
        f"Over {over}): mean accuracy (%), interquartile mean of all runs, worst condition mean,"
        " mean rank (1 = best); 95 % t interval of the mean over seeds, the conditions held fixed."
        + of_part(results)
    )
    second = (
        f"Pairs over {over}): mean difference over these conditions with t interval (unit: seed),"
        " conditions with higher / equal / lower mean, conditions decided for / against, p of the"
        f" mean by the {results.test.title} over seeds, the same after correction, p after Holm of"
        f" a two-sided {WILCOXON.title} on condition means (unit: condition; none below six"
        f" conditions), probability that the first is higher at equal seed.{of_part(results)}"
    )
    heads = ["method", "mean", "interval", "IQM", "worst", "mean rank"]
    heads2 = ["comparison", "diff.", "interval", "h/e/l", "for/against", "$p$"]
    heads2 += ["$p_{\\mathrm{Holm}}$", "$p_{\\mathrm{cond.}}$", "$P(a>b)$"]
    return [*_pages(first, heads, "lrrrrr", methods), *_pages(second, heads2, "lrrrrrrrr", pairs)]


def _pages(caption: str, heads: list[str], columns: str, rows: list[list[str]]) -> list[str]:
    """Tables that fit a page each; continued ones are marked."""
    pages = []
    columns, heads, rows = aligned(columns, heads, rows)
    for start in range(0, len(rows), ROWS_PER_PAGE):
        words = escape(caption) if start == 0 else "Continued."
        body = "\n".join(" & ".join(row) + " \\\\" for row in rows[start : start + ROWS_PER_PAGE])
        pages.append(
            "\\begin{table}\n\\centering\\scriptsize\\setlength{\\tabcolsep}{3pt}\n"
            f"{SETUP}\n\\caption{{{words}}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n"
            f"{' & '.join(heads)} \\\\\n\\midrule\n{body}\n\\bottomrule\n\\end{{tabular}}\n"
            "\\end{table}\n"
        )
    return pages


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None or low != low:
        return "--"
    return _plain(f"{{[}}{number(low)}, {number(high)}{{]}}")


def _plain(text: str) -> str:
    """Numbers only: minus, dash and less-than in TeX."""
    return text.replace("−", "$-$").replace(NONE, "--").replace("<", "$<$")


def aligned(
    columns: str, heads: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[str, list[str], list[list[str]]]:
    r"""Turn right-aligned columns of decimal numbers into ``S`` columns.

    Args:
        columns: a letter per column; only those marked ``r`` are used.
        heads: LaTeX, one per column.
        rows: LaTeX cells; numbers as ``$-$1.20``, ``+0.31``, ``2.00``.

    Returns:
        The same three with ``S[table-format=...]`` where at least one cell is a number; other cells
        of such columns are in braces, which is how ``S`` takes text.
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
