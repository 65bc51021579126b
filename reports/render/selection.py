"""The four accuracies of the same runs side by side."""

from __future__ import annotations

import pandas as pd

from reports.cells import Block
from reports.intake import RULES
from reports.labels import pretty_condition
from reports.render.caption import RULE_WORDS
from reports.render.markdown import escape, table
from reports.results import Results
from reports.text import NONE, number


def selection_markdown(results: Results) -> str:
    """Mean ± sd per method and condition under every accuracy rule that the runs have."""
    runs = results.frame.runs
    rules = [rule for rule in RULES if runs[rule].notna().any()]
    absent = [rule for rule in RULES if rule not in rules]
    parts = [f"# {escape(results.study.title)}: which epoch is scored", _intro(rules, absent)]
    for block in results.blocks:
        parts += [f"## {escape(block.title)}", _table(block, runs, rules)]
    return "\n\n".join(parts) + "\n"


def _intro(rules: list[str], absent: list[str]) -> str:
    lines = [f"- `{rule}`: {RULE_WORDS[rule]}." for rule in rules]
    text = "Test accuracy (%), mean ± sd over seeds, of the same runs:\n\n" + "\n".join(lines)
    if absent:
        names = ", ".join(f"`{rule}`" for rule in absent)
        text += f"\n\nNot there, because this study holds no validation split out: {names}."
    if "oracle" in rules and "last" in rules:
        text += (
            "\n\n`oracle − last` is what peeking at the test set would have added; papers that"
            " report the best epoch report the left-out column."
        ).replace("the left-out column", "`oracle`")
    return text


def _table(block: Block, runs: pd.DataFrame, rules: list[str]) -> str:
    rows = runs[runs["block"] == block.index]
    groups = rows.groupby(["condition", "method"], sort=False)[rules]
    means, spreads = groups.mean(), groups.std(ddof=1)
    gap = "oracle" in rules and "last" in rules
    body = []
    for cell in block.declared():
        at = (cell.condition, cell.method)
        mean, sd = means.loc[at], spreads.loc[at]
        line = [pretty_condition(cell.condition), cell.method]
        line += [_cell(mean[rule], sd[rule]) for rule in rules]
        if gap:
            line.append(number(float(mean["oracle"] - mean["last"]), sign=True))
        body.append([escape(text) for text in line])
    headers = ["condition", "method", *(f"`{rule}`" for rule in rules)]
    return table([*headers, "oracle − last"] if gap else headers, body, left=2)


def _cell(mean: float, sd: float) -> str:
    return NONE if mean != mean else f"{number(float(mean))} ± {number(float(sd))}"
