"""measures.md, measures.csv, measures-comparisons.csv and measures.tex."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nlbench.benchmark.metrics import Metric
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Condition
from nlbench.reports.read.measured import bounded
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render import latex
from nlbench.reports.render.best import best_set_rule
from nlbench.reports.render.caption import origin, sample, setting
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.text import NONE, number
from nlbench.reports.topics.columns import (
    COMPARISON,
    PLACE,
    SUMMARY,
    comparison,
    csv,
    place,
    summary,
)
from nlbench.reports.topics.measures.compare import Found, Measured
from nlbench.reports.topics.parts import first_bullets, latex_tables, section, value

FILE = "measures"
COMPARISONS = f"{FILE}-comparisons.csv"
FILES = (
    (f"{FILE}.csv", f"further measures of the same runs, [as tables]({FILE}.md)"),
    (COMPARISONS, "every comparison of them"),
    (f"{FILE}.tex", "the same for a paper"),
)
FAMILIES = ("baseline", "pairs")
COLUMNS = (
    *PLACE, "condition", "nominal_rate", "method", "metric", "unit", "higher_is_better", *SUMMARY,
    "in_best_set",
)  # fmt: skip
HEADS = ("labels", "measure", "method", "mean ± sd", "95 % interval")
MOST = 12  # sentences of a measure on the index page


def direction(metric: Metric) -> str:
    """``expected calibration error (%, lower is better)``."""
    return f"{metric.title} ({better(metric)})"


def better(metric: Metric) -> str:
    """``%, lower is better``."""
    return f"{metric.shown_in}, {'higher' if metric.higher_is_better else 'lower'} is better"


def tables(results: Results, found: Found) -> dict[str, str]:
    """A row per condition, method and measure in hundredths, and a row per comparison."""
    del results
    rows = [
        {
            **place(one.block),
            "condition": condition.line,
            "nominal_rate": condition.nominal,
            "method": cell.method,
            "metric": one.metric.name,
            "unit": one.metric.shown_in,
            "higher_is_better": int(one.metric.higher_is_better),
            **summary(cell, one.metric.shown_bounds),
            "in_best_set": int(cell.method in best),
        }
        for one in found
        for condition in one.block.conditions
        for best in [one.best(condition).members]
        for cell in one.in_condition(condition)
    ]
    comparisons = [
        {**place(one.block), "question": question, **comparison(each)}
        for one in found
        for question in FAMILIES
        for each in getattr(one, question)
    ]
    return {
        f"{FILE}.csv": csv(rows, COLUMNS),
        COMPARISONS: csv(comparisons, (*PLACE, "question", *COMPARISON)),
    }


def pages(results: Results, found: Found) -> dict[str, str]:
    """The page, and its tables for a paper."""
    parts = [f"# {escape(results.study.title)}: further measures"]
    for one in found:
        parts.append(f"## {escape(one.block.title)}: {escape(direction(one.metric))}")
        parts += [_grid(one), f"*{escape(' '.join(caption(results, [one])))}*"]
        if one.baseline:
            parts.append(f"### Against the baseline (family of {len(one.baseline)})")
            parts += first_bullets([c.sentence() for c in one.baseline], COMPARISONS)
    latex_text = latex_tables(
        results,
        FILE,
        HEADS,
        (
            (block, caption(results, there), _tex(block, there))
            for block in results.blocks
            if (there := [m for m in found if m.block is block])
        ),
    )
    return {f"{FILE}.md": "\n\n".join(parts) + "\n", f"{FILE}.tex": latex_text}


def index_section(results: Results, found: Found, block: Block | None) -> Sequence[str]:
    """The comparisons of one block with the baseline."""
    del results
    lines = [c.sentence() for one in found if one.block is block for c in one.baseline[:MOST]]
    there = any(one.block is block for one in found)
    return section("Further measures", f"{FILE}.md", lines, level=3) if there else []


def caption(results: Results, found: Sequence[Measured]) -> list[str]:
    """Caption of a table of measures of one block."""
    block = found[0].block
    bests = [one.best(condition) for one in found for condition in block.conditions]
    return [
        f"On the test set of {setting(results, block)}, after the last epoch: mean ± standard"
        f" deviation over {sample(block.declared(), 'seed')}. Bold: the"
        f" 95 % best set of each condition and measure. {best_set_rule(bests)}",
        *origin(results, block),
    ]


def _grid(one: Measured) -> str:
    heads = ["labels", *map(escape, one.block.methods)]
    rows = []
    for condition in one.block.conditions:
        best, there = (
            one.best(condition).members,
            {c.method: c for c in one.in_condition(condition)},
        )
        texts = [value(there[m]) if m in there else "" for m in one.block.methods]
        marked = zip(one.block.methods, texts, strict=True)
        shown = [f"**{text}**" if text and m in best else text for m, text in marked]
        rows.append([escape(pretty_condition(condition.line)), *shown])
    return table(heads, rows, left=1)


def _tex(block: Block, found: Sequence[Measured]) -> Iterator[list[list[str]]]:
    for condition in block.conditions:
        yield [line for one in found for line in _tex_rows(one, condition)]


def _tex_rows(one: Measured, condition: Condition) -> Iterator[list[str]]:
    best = one.best(condition).members
    for cell in one.in_condition(condition):
        ends = bounded(cell.summary, one.metric.shown_bounds)
        span = NONE if ends is None else f"[{number(ends[0])}, {number(ends[1])}]"
        words = (pretty_condition(condition.line), one.metric.title, cell.method)
        marked = cell.method in best
        yield [*map(latex.escape, words), latex.cell(value(cell), marked), latex.cell(span, marked)]
