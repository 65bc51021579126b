"""significance.csv: a row per comparison."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pandas as pd

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.leaderboard.columns import ROPE, rope_columns
from nlbench.reports.text import rounded, significant

# Fields of a Comparison that are no column: they are in others, or in its sentence.
HIDDEN = ("block", "metric", "unit", "smallest_p", "rope", "at_chance", "outcomes", "towards")
# Columns of significance.csv where some, not all, runs of a method collapsed.
_OUTCOMES = ("collapsed_a", "collapsed_b", "left_out", "p_collapsed")
_P_VALUES = ("p", "p_sign_flip", "p_holm", "t", "d_z", "hedges", "rho")


def significance_table(results: Results) -> pd.DataFrame:
    """A row per comparison: the fields of its Comparison, and its sentence."""
    names = [field.name for field in fields(Comparison) if field.name not in HIDDEN]
    head = ["data_label", "model", "profile", "recipe", "noise_drawn", "accuracy_rule"]
    rows = []
    for block in results.blocks:
        drawn = {condition.line: condition.drawn for condition in block.conditions}
        place = (block.data_label, block.key.model, block.key.profile, block.recipe)
        rows += [
            {
                **dict(zip(head, (*place, drawn[comparison.condition], results.rule), strict=True)),
                **{name: _rounded(name, getattr(comparison, name)) for name in names},
                **rope_columns(comparison.rope),
                **_outcomes(comparison),
                "sentence": comparison.sentence(),
            }
            for comparison in results.in_block(block)
        ]
    collapsed = _OUTCOMES if any(v.outcomes for v in results.verdicts) else ()
    columns = [*head, *names, *ROPE, *collapsed, "sentence"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(collapsed[:3], "Int64"))


def _outcomes(comparison: Comparison) -> dict[str, float | None]:
    found = comparison.outcomes
    if found is None:
        return {}
    values = (found.a, found.b, found.left_out, significant(found.p))
    return dict(zip(_OUTCOMES, values, strict=True))


def _rounded(name: str, value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return significant(value) if name in _P_VALUES else rounded(value)
