"""leaderboard.csv: numbers are numbers, a column means one thing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from nlbench.reports.compare.across_conditions import Overall
from nlbench.reports.compare.pairing import condition_note
from nlbench.reports.compare.results import Results
from nlbench.reports.leaderboard.columns import (
    LEADERBOARD,
    LEADERBOARD_SCHEMA,
    measure_columns,
)
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.text import rounded, significant

WHOLE_NUMBERS = (
    "schema", "train_per_class", "n", "expected_n", "tie_group", "in_best_set", "diverged",
    "failed", "missing", "collapsed", "paired",
)  # fmt: skip


def leaderboard_table(results: Results) -> pd.DataFrame:
    """A row per method and condition, see leaderboard/columns.py."""
    groups = dict(list(results.frame.runs.groupby(["block", "method", "condition"], sort=False)))
    rows = [
        _row(results, block, condition, cell, groups[block.index, method, condition.line])
        for block in results.blocks
        for condition in block.conditions
        for method in block.methods
        if (cell := block.cells.get((method, condition.line))) is not None
    ]
    rows += [row for whole in results.overall for row in _overall_rows(results, whole)]
    further = [name for metric in results.study.metrics for name in measure_columns(metric)]
    table = pd.DataFrame(rows, columns=[*LEADERBOARD, *further])
    whole = (*WHOLE_NUMBERS, *(name for name in further if name.endswith("_n")))
    return table.astype(dict.fromkeys(whole, "Int64"))


def _overall_rows(results: Results, whole: Overall) -> list[dict[str, Any]]:
    """Leaderboard rows of scope ``overall``: n counts conditions, bounds are over seeds."""
    blocks = [b for b in results.blocks if b.key.regime == whole.profile]
    study, key = results.study, blocks[0].key
    one = len(blocks) == 1
    runs = results.frame.runs
    runs = runs[runs["block"].isin([b.index for b in blocks])]
    return [
        {
            "schema": LEADERBOARD_SCHEMA,
            "scope": "overall",
            "suite": study.name,
            "suite_sha256": study.sha256,
            "data_label": " + ".join(dict.fromkeys(b.data_label for b in blocks)),
            "dataset": key.dataset if one else "several",
            "train_per_class": key.train_per_class if one else None,
            "holdout": key.holdout,
            "model": key.model if one else "several",
            "profile": whole.profile,
            "method": m.method,
            "recipe": " / ".join(
                dict.fromkeys(
                    c.recipe for b in blocks for c in b.declared() if c.method == m.method
                )
            ),
            "accuracy_rule": results.rule,
            "n": len(whole.conditions),
            "expected_n": len(whole.conditions) + len(whole.left_out),
            "mean": rounded(m.mean.value),
            "sd": rounded(float(np.std(scores, ddof=1))),
            "median": rounded(float(np.median(scores))),
            "ci_low": rounded(m.mean.low),
            "ci_high": rounded(m.mean.high),
            "min": rounded(m.worst),
            "max": rounded(float(scores.max())),
            "iqm": rounded(m.iqm),
            "worst_condition": m.worst_condition,
            "rank": rounded(m.mean_rank),
            "tie_group": whole.best.groups.get(m.method),
            "in_best_set": int(m.method in whole.best.members),
            "note": f"{len(whole.left_out)} conditions incomplete" if whole.left_out else "",
            **_made_with(runs[runs["method"] == m.method]),
        }
        for m, scores in zip(whole.methods, whole.scores, strict=True)
    ]


def _row(
    results: Results,
    block: Block,
    condition: Condition,
    cell: Cell,
    runs: pd.DataFrame,
) -> dict[str, Any]:
    place = results.standing(block, condition, cell.method)
    shown = cell.values[cell.known]
    study, key = results.study, block.key
    return {
        "schema": LEADERBOARD_SCHEMA,
        "scope": "condition",
        "suite": study.name,
        "suite_sha256": study.sha256,
        "data_label": block.data_label,
        "dataset": key.dataset,
        "train_per_class": key.train_per_class,
        "holdout": key.holdout,
        "model": key.model,
        "profile": key.profile,
        "method": cell.method,
        "method_name": _only(runs["method_name"]),
        "params": _only(runs["params"]),
        "recipe": cell.recipe,
        "condition": condition.line,
        "noise_drawn": condition.drawn,
        "noise_type": condition.type,
        "nominal_rate": condition.nominal,
        "realised_rate": condition.realised,
        "accuracy_rule": results.rule,
        "n": cell.summary.n,
        "expected_n": cell.expected,
        **_numbers(cell),
        "median": rounded(float(pd.Series(shown).median())) if len(shown) else None,
        "min": rounded(float(shown.min())) if len(shown) else None,
        "max": rounded(float(shown.max())) if len(shown) else None,
        "rank": place.rank,
        "tie_group": place.group,
        "in_best_set": int(place.best),
        **_against_baseline(results, block, condition, cell),
        "diverged": cell.count("diverged"),
        "failed": cell.count("failed"),
        "missing": cell.count("missing"),
        "collapsed": int(cell.collapsed.sum()),
        "paired": int(place.paired),
        "note": condition_note(cell, place.paired),
        "noise_fingerprints": _label_sets(runs),
        "seeds": " ".join(str(seed) for seed in cell.seeds),
        **_made_with(runs),
        **_measures(results, block, cell),
    }


def _measures(results: Results, block: Block, cell: Cell) -> dict[str, Any]:
    """The further columns of one method in one condition."""
    columns: dict[str, Any] = {}
    for metric in results.study.metrics:
        cells = results.measures[block.index, metric.name]
        if (found := cells.get((cell.method, cell.condition))) is not None:
            numbers = rounded(found.summary.mean), rounded(found.summary.sd), found.summary.n
            columns |= dict(zip(measure_columns(metric), numbers, strict=True))
    return columns


def _made_with(runs: pd.DataFrame) -> dict[str, str]:
    """Devices, versions and commits of these runs."""
    return {name: _several(runs[name]) for name in ("device", "torch", "nlbench", "commit")}


def _numbers(cell: Cell) -> dict[str, float | None]:
    s = cell.summary
    pairs = {"mean": s.mean, "sd": s.sd, "ci_low": s.low, "ci_high": s.high}
    return {name: rounded(value) for name, value in pairs.items()}


def _against_baseline(
    results: Results, block: Block, condition: Condition, cell: Cell
) -> dict[str, Any]:
    """Paired difference to the baseline; empty for the baseline and where there is none."""
    found = [
        v for v in results.of(block, condition) if v.a == cell.method and v.b in results.baseline
    ]
    if len(found) != 1 or cell.method in results.baseline:
        return dict.fromkeys(("baseline", "diff", "diff_ci_low", "diff_ci_high", "diff_p_holm"))
    verdict = found[0]
    return {
        "baseline": verdict.b,
        "diff": rounded(verdict.estimate),
        "diff_ci_low": rounded(verdict.ci_low),
        "diff_ci_high": rounded(verdict.ci_high),
        "diff_p_holm": significant(verdict.p_holm),
    }


def _only(column: pd.Series) -> str:
    """The one value of a column, or all of them as a JSON list."""
    values = sorted({str(v) for v in column.unique()})
    return values[0] if len(values) == 1 else json.dumps(values)


def _label_sets(runs: pd.DataFrame) -> str:
    """``seed:first 16 hex digits`` of the label sets that the runs with a record trained on."""
    known = runs["noise_fingerprint"].notna()
    pairs = sorted(zip(runs["seed"][known], runs["noise_fingerprint"][known], strict=True))
    return " ".join(f"{seed}:{print_[:16]}" for seed, print_ in pairs)


def _several(column: pd.Series) -> str:
    """The distinct known values, sorted, separated by spaces."""
    return " ".join(sorted({str(v).replace(" ", "_") for v in column.dropna().unique()}))
