"""The leaderboard for the page: its own rows, with a place for every drawn interval."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.read.names import BlockKey, pretty_condition
from nlbench.reports.render.grid import COLLAPSED, INCOMPLETE, UNPAIRED
from nlbench.reports.render.markdown import MARKS
from nlbench.reports.site.scale import Scale
from nlbench.reports.text import NONE, interval, number, p_value, plural, rate

# key in a row, heading, whether the first sort is descending, what it means
COLUMNS: tuple[tuple[str, str, bool, str], ...] = (
    ("method", "Method", False, "method, with what varies where its name is not enough"),
    ("noise", "Noise", False, "noise model and its options"),
    ("data", "Data and set-up", False, "data set, network, profile"),
    ("mean", "Accuracy (%)", True, "mean ± standard deviation over seeds, 95 % Student interval"),
    ("ci_low", "95 % interval", True, "drawn: interval of the mean; thin line: all seeds"),
    ("rank", "Rank", False, "rank of the mean"),
    ("tie_group", "Group", False, "tie group: 1 = the 95 % best set"),
    ("diff", "To baseline", True, "mean paired difference in points, 95 % interval"),
    (
        "diff_p_holm",
        "p (Holm)",
        False,
        "the suite's test over seeds, corrected over the whole report",
    ),
    ("nominal_rate", "Rate", False, "noise rate asked for; below: share of labels that changed"),
    ("n", "Seeds", False, "seeds with a value / declared seeds"),
    ("note", "Notes", False, "what to know before using the row"),
)
NUMBERS = frozenset(
    ("nominal_rate", "mean", "ci_low", "rank", "tie_group", "diff",
     "diff_p_holm", "n")
)  # fmt: skip
MEAN_WIDTH, DIFF_WIDTH = 132.0, 80.0
Row = dict[str, Any]


def records_of(table: pd.DataFrame) -> list[Row]:
    """Rows as plain values, ``None`` for empty."""
    plain = table.astype(object).where(table.notna(), None)
    return [{str(k): v for k, v in row.items()} for row in plain.to_dict(orient="records")]


def board(
    results: Results,
    leaderboard: pd.DataFrame,
    command: Callable[[Sequence[str], str, Sequence[int]], str],
) -> dict[str, Any]:
    """Columns, axes and rows of the leaderboard, best first within a condition.

    Args:
        results: the study.
        leaderboard: its table.
        command: method names, noise line and seeds -> what makes these runs again.
    """
    rows = [r for r in records_of(leaderboard) if r["scope"] == "condition"]
    places = _places(results)
    means = Scale.over(
        (r[k] for r in rows for k in ("min", "max", "ci_low", "ci_high")), MEAN_WIDTH
    )
    gaps = Scale.over(
        (r[k] for r in rows for k in ("diff", "diff_ci_low", "diff_ci_high")), DIFF_WIDTH, zero=True
    )
    for at, row in enumerate(rows):
        block, order = places[_key(row), row["recipe"], row["condition"]]
        row.update(_shown(row, means, gaps))
        row.update(
            id=f"row-{at + 1}",
            block=block,
            noise_order=order,
            data=results.blocks[block].title,
            regime=results.blocks[block].key.regime,
            reproduce=_reproduce(row, command),
        )
    rows.sort(key=lambda r: (r["block"], r["noise_order"], r["rank"] or len(rows), r["id"]))
    several = len(results.blocks) > 1
    empty = {"data"} if not several else set()
    empty |= {"note"} if not any(row["note"] for row in rows) else set()
    columns = [c for c in COLUMNS if c[0] not in empty]
    return {
        "columns": [
            {"key": k, "label": label, "down": down, "help": words, "number": k in NUMBERS}
            for k, label, down, words in columns
        ],
        "rows": rows,
        "mean_axis": means.axis(),
        "diff_axis": gaps.axis(),
        "methods": list(dict.fromkeys(m for b in results.blocks for m in b.methods)),
        "noise_types": list(dict.fromkeys(t for b in results.blocks for t in b.noise_types)),
        "blocks": [b.title for b in results.blocks] if several else [],
        "baseline": " / ".join(sorted(results.baseline)),
        "bests": sum(1 for r in rows if r["tie_group"] == 1),
        "marks": [MARKS[mark] for mark in (INCOMPLETE, COLLAPSED, UNPAIRED)],
    }


def overall_rows(leaderboard: pd.DataFrame, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The leaderboard's rows of scope ``overall`` by profile, best mean rank first."""
    whole = [r for r in records_of(leaderboard) if r["scope"] == "overall"]
    found = []
    for profile in dict.fromkeys(r["profile"] for r in whole):
        mine = sorted((r for r in whole if r["profile"] == profile), key=lambda r: float(r["rank"]))
        scale = Scale.over((r[k] for r in mine for k in ("min", "ci_low", "ci_high")), MEAN_WIDTH)
        for row in mine:
            tied = [r for r in rows if r["regime"] == profile and r["method"] == row["method"]]
            row["bar"] = scale.bar(row["ci_low"], row["mean"], row["ci_high"])
            row["worst_x"] = scale.x(row["min"])
            row["ties"] = f"{sum(r['tie_group'] == 1 for r in tied)} of {len(tied)}"
            row["shown"] = {k: number(row[k]) for k in ("mean", "iqm", "min", "rank")}
            row["interval"] = interval(row["ci_low"], row["ci_high"])
        found.append({"profile": profile, "axis": scale.axis(), "rows": mine})
    return found


def _key(row: Row) -> BlockKey:
    size = row["train_per_class"]
    size = None if size is None else int(size)
    return BlockKey(row["dataset"], size, row["holdout"], row["model"], row["profile"])


def _places(results: Results) -> dict[tuple[BlockKey, str, str], tuple[int, int]]:
    """Block without its recipe, recipe of a row and noise line -> block and place of the line."""
    return {
        (block.key._replace(recipe=""), cell.recipe, cell.condition): (
            block.index,
            [condition.line for condition in block.conditions].index(cell.condition),
        )
        for block in results.blocks
        for cell in block.declared()
    }


def _shown(row: Row, means: Scale, gaps: Scale) -> Row:
    marks = (
        *([INCOMPLETE] if row["n"] != row["expected_n"] else []),
        *([COLLAPSED] if row["collapsed"] else []),
        *([] if row["paired"] else [UNPAIRED]),
    )
    deviation = f" ± {number(row['sd'])}" if row["sd"] is not None else ""
    return {
        "pretty": pretty_condition(row["condition"]),
        "marks": "".join(MARKS[mark] for mark in marks),
        "whole": not marks,
        "shown": {
            "nominal_rate": rate(row["nominal_rate"]),
            "realised_rate": rate(row["realised_rate"]),
            "mean": f"{number(row['mean'])}{deviation}",
            "interval": interval(row["ci_low"], row["ci_high"]),
            "rank": NONE if row["rank"] is None else f"{row['rank']:g}",
            "diff": number(row["diff"], sign=True),
            "diff_interval": interval(row["diff_ci_low"], row["diff_ci_high"]),
            "diff_p_holm": p_value(row["diff_p_holm"]),
            "n": f"{row['n']}/{row['expected_n']}",
        },
        "bar": {
            **means.bar(row["ci_low"], row["mean"], row["ci_high"]),
            "min": means.x(row["min"]),
            "max": means.x(row["max"]),
        },
        "diff_bar": gaps.bar(row["diff_ci_low"], row["diff"], row["diff_ci_high"]),
        "bar_words": _words(row),
    }


def _words(row: Row) -> str:
    """The drawn interval in words, for those who do not see it."""
    if row["mean"] is None:
        return "no value"
    span = f"seeds from {number(row['min'])} to {number(row['max'])}"
    if row["ci_low"] is None:
        return f"mean {number(row['mean'])}, {plural(int(row['n']), 'seed')}, no interval"
    interval = f"{number(row['ci_low'])} to {number(row['ci_high'])}"
    return f"mean {number(row['mean'])}, 95 % interval {interval}, {span}"


def _reproduce(row: Row, command: Callable[[Sequence[str], str, Sequence[int]], str]) -> Row:
    seeds = [int(seed) for seed in str(row["seeds"]).split()]
    name = str(row["method_name"])
    names = json.loads(name) if name.startswith("[") else [name]
    return {
        "command": command(names, row["condition"], seeds),
        "seeds": row["seeds"],
        "commit": str(row["commit"] or "").split(),
        "device": str(row["device"] or "").replace("_", " ") or "not recorded",
        "torch": row["torch"] or "not recorded",
        "nlbench": row["nlbench"] or "not recorded",
        "params": row["params"],
    }
