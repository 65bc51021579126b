"""The four accuracies of the same runs side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.read.fields import RULES
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import RULE_WORDS
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.stats import mean_interval
from nlbench.reports.text import NONE, number


def selection_markdown(results: Results) -> str:
    """Mean ± sd per method and condition under every accuracy rule that the runs have."""
    runs = results.frame.runs
    rules = [rule for rule in RULES if runs[rule].notna().any()]
    absent = [rule for rule in RULES if rule not in rules]
    parts = [f"# {escape(results.study.title)}: which epoch is scored", _intro(rules, absent)]
    if words := results.study.evaluated:
        parts.append(f"{words} Only those epochs can be chosen.")
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
            "\n\n`oracle − last` is what peeking at the test set adds: papers that report the best"
            " epoch report `oracle`."
        )
    return text


def _table(block: Block, runs: pd.DataFrame, rules: list[str]) -> str:
    rows = runs[runs["block"] == block.index]
    values = {
        (str(condition), str(method)): group[rules].to_numpy(dtype=np.float64).T
        for (condition, method), group in rows.groupby(["condition", "method"], sort=False)
    }
    gap = "oracle" in rules and "last" in rules
    body = []
    for cell in block.declared():
        found = [mean_interval(v[~np.isnan(v)]) for v in values[cell.condition, cell.method]]
        line = [pretty_condition(cell.condition), cell.method]
        line += [NONE if s.n == 0 else f"{number(s.mean)} ± {number(s.sd)}" for s in found]
        if gap:
            last, oracle = found[rules.index("last")].mean, found[rules.index("oracle")].mean
            line.append(NONE if last is None else number((oracle or 0.0) - last, sign=True))
        body.append([escape(text) for text in line])
    headers = ["condition", "method", *(f"`{rule}`" for rule in rules)]
    return table([*headers, "oracle − last"] if gap else headers, body, left=2)
