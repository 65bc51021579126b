"""The machine-readable tables of a sweep: numbers are numbers, a column means one thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from nlbench.benchmark.store import names
from nlbench.reports.compare.results import Results
from nlbench.reports.leaderboard import settled
from nlbench.reports.stats import mean_interval
from nlbench.reports.text import rounded, significant
from nlbench.reports.topics.columns import difference
from nlbench.reports.topics.sweep.compare import Measured
from nlbench.reports.topics.sweep.find import Setting, Sweep
from nlbench.reports.topics.sweep.selection import Choices

SETTING_COLUMNS = (
    "sweep", "data_label", "model", "profile", "recipe", "condition", "noise_drawn",
    "accuracy_rule", "method", "params",
    "role", "row_axis", "row", "column_axis", "column", "n", "expected_n", "mean", "sd", "ci_low",
    "ci_high", "collapsed", "diverged", "drained_clean_mean", "drained_clean_sd",
    "drained_flipped_mean", "drained_flipped_sd", "noisy_validation_mean", "noisy_validation_sd",
    "diff", "diff_ci_low", "diff_ci_high", "diff_p", "diff_p_holm", "diff_words",
    "against_best_words",
)  # fmt: skip
LEVEL_COLUMNS = (
    "sweep", "axis", "level", "reference", "averaged_over", "mean", "diff", "diff_ci_low",
    "diff_ci_high", "n", "p", "p_holm", "family_size", "reason", *settled.COLUMNS,
)  # fmt: skip
CHOICE_COLUMNS = (
    "sweep", "seed", "chosen", "noisy_validation", "accuracy", "default",
    "default_accuracy", "best", "best_accuracy", "best_of_other_seeds",
    "best_of_other_seeds_accuracy", "spearman", *settled.COLUMNS,
)  # fmt: skip


Found = Sequence[tuple[Sweep, Measured, Choices | None]]


def settings_table(results: Results, found: Found) -> pd.DataFrame:
    """A row per setting and per method beside the grid."""
    rows = []
    for sweep, measured, _ in found:
        default = {v.a: v for v in (*measured.against_default, *measured.beside)}
        best = {v.a: v for v in measured.against_best}
        params = results.frame.runs.drop_duplicates(["block", "condition", "method"])
        here = params[
            (params["block"] == sweep.block.index) & (params["condition"] == sweep.condition.line)
        ]
        texts = dict(zip(here["method"], here["params"], strict=True))
        rows += [
            {
                **_place(results, sweep, setting),
                "params": texts[setting.cell.method],
                **_numbers(setting),
                **difference(v := default.get(setting.cell.method)),
                "diff_words": v.words if v is not None else "",
                "against_best_words": v.words
                if (v := best.get(setting.cell.method)) is not None
                else "",
            }
            for setting in (*sweep.settings, *sweep.beside)
        ]
    return pd.DataFrame(rows, columns=list(SETTING_COLUMNS))


def _place(results: Results, sweep: Sweep, setting: Setting) -> dict[str, Any]:
    row, column = setting.at or (None, None)
    role = "beside" if setting.at is None else "default" if setting is sweep.default else "grid"
    return {
        "sweep": sweep.number,
        "data_label": sweep.block.data_label,
        "model": sweep.block.key.model,
        "profile": sweep.block.key.profile,
        "recipe": setting.cell.recipe,
        "condition": sweep.condition.line,
        "noise_drawn": sweep.condition.drawn,
        "accuracy_rule": results.rule,
        "method": setting.cell.method,
        "role": role,
        "row_axis": sweep.rows.label,
        "row": row,
        "column_axis": sweep.columns.label,
        "column": column,
    }


def _numbers(setting: Setting) -> dict[str, Any]:
    cell = setting.cell
    summary = cell.summary
    values: dict[str, Any] = {
        "n": summary.n,
        "expected_n": cell.expected,
        "mean": rounded(summary.mean),
        "sd": rounded(summary.sd),
        "ci_low": rounded(summary.low),
        "ci_high": rounded(summary.high),
        "collapsed": int(cell.collapsed.sum()),
        "diverged": cell.count("diverged"),
    }
    for name, column, factor in (
        (names.MEAN_CLEAN, "drained_clean", 1),
        (names.MEAN_FLIPPED, "drained_flipped", 1),
        ("val_noisy", "noisy_validation", 100),
    ):
        known = setting.last[name][np.isfinite(setting.last[name])]
        found = mean_interval(factor * known)
        values |= {f"{column}_mean": rounded(found.mean), f"{column}_sd": rounded(found.sd)}
    return values


def levels_table(found: Found) -> pd.DataFrame:
    """A row per level of a hyper-parameter but the default's."""
    rows = [
        {
            "sweep": sweep.number,
            "axis": level.axis.label,
            "level": level.value,
            "reference": level.reference,
            "averaged_over": level.over,
            "mean": rounded(level.mean),
            "diff": rounded(level.test.estimate) if level.test else None,
            "diff_ci_low": rounded(level.test.low) if level.test else None,
            "diff_ci_high": rounded(level.test.high) if level.test else None,
            "n": level.test.n if level.test else 0,
            "p": significant(level.test.p) if level.test else None,
            "p_holm": significant(level.p_holm),
            "family_size": level.family,
            "reason": level.reason,
            **_settled(sweep),
        }
        for sweep, measured, _ in found
        for level in measured.levels
    ]
    return pd.DataFrame(rows, columns=list(LEVEL_COLUMNS))


def choice_table(found: Found) -> pd.DataFrame:
    """A row per seed: what noisy validation would have chosen."""
    rows = [
        {
            "sweep": sweep.number,
            "seed": c.seed,
            "chosen": "; ".join(setting.cell.method for setting in c.chosen),
            "noisy_validation": rounded(c.validation),
            "accuracy": rounded(c.accuracy),
            "default": sweep.default.cell.method,
            "default_accuracy": rounded(c.default),
            "best": c.best.cell.method,
            "best_accuracy": rounded(c.best_accuracy),
            "best_of_other_seeds": c.others.cell.method if c.others else "",
            "best_of_other_seeds_accuracy": rounded(c.others_accuracy),
            "spearman": significant(c.correlation),
            **_settled(sweep),
        }
        for sweep, _, choices in found
        if choices is not None
        for c in choices.seeds
    ]
    return pd.DataFrame(rows, columns=list(CHOICE_COLUMNS))


def _settled(sweep: Sweep) -> dict[str, str]:
    methods = {setting.cell.method for setting in sweep.settings}
    return settled.settled([sweep.block], methods, {(sweep.block.index, sweep.condition.line)})
