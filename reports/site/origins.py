"""A leaderboard of several origins as a page: a table per data set, a row per method and origin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nlbench.reports.leaderboard.merge import Line
from nlbench.reports.leaderboard.origins import ORIGIN, OURS, Origin
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import RULE_WORDS
from nlbench.reports.site.render import origins_html
from nlbench.reports.text import NONE, interval, number

Row = dict[str, str]
# What rows of one table share, and what is one row of it.
BLOCK = ("data_label", "train_per_class", "model", "profile", "accuracy_rule")
WHO = ("method", "params", "recipe", ORIGIN)


def origins_page(lines: Iterable[Line], ours: str = "") -> str:
    """The page of marked rows.

    Args:
        lines: of :func:`nlbench.reports.leaderboard.origins.marked`.
        ours: where our own rows lead to, if anywhere.
    """
    rows = [row for _, _, row in lines if isinstance(row, dict)]
    blocks: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        blocks.setdefault(tuple(row[name] for name in BLOCK), []).append(row)
    origins = [Origin.of(cell) for cell in dict.fromkeys(row[ORIGIN] for row in rows)]
    return origins_html(
        {
            "suite": rows[0]["suite"] if rows else "",
            "sha256": rows[0]["suite_sha256"][:12] if rows else "",
            "origins": [origin.name for origin in origins],
            "blocks": [_block(found, ours) for found in blocks.values()],
        }
    )


def _block(rows: list[Row], ours: str) -> dict[str, Any]:
    """One table: its title, its conditions, its rows."""
    conditions = list(dict.fromkeys(row["condition"] for row in rows))
    entries: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        entries.setdefault(tuple(row[name] for name in WHO), {})[row["condition"]] = row
    first = rows[0]
    return {
        "title": f"{first['data_label']}, {first['model']}, {first['profile']},"
        f" {RULE_WORDS.get(first['accuracy_rule'], first['accuracy_rule'])}",
        "conditions": [pretty_condition(line) for line in conditions],
        "rows": [_entry(cells, conditions, ours) for cells in entries.values()],
    }


def _entry(cells: dict[str, Row], conditions: list[str], ours: str) -> dict[str, Any]:
    row = next(iter(cells.values()))
    origin = Origin.of(row[ORIGIN])
    return {
        "method": row["method"],
        "origin": origin.name,
        "link": ours if origin.name == OURS else origin.link,
        "device": row.get("device", "").replace("_", " "),
        "versions": f"torch {row.get('torch', '')}, commit {row.get('commit', '')[:12]}",
        "cells": [_cell(cells.get(line)) for line in conditions],
    }


def _cell(row: Row | None) -> dict[str, str]:
    """Mean and deviation, and below them the difference to the baseline of the same origin."""
    if row is None:
        return {"value": NONE, "below": ""}
    value, sd, diff, low, high = (
        float(row[name]) if row.get(name) else None
        for name in ("mean", "sd", "diff", "diff_ci_low", "diff_ci_high")
    )
    words = number(value) if sd is None else f"{number(value)} ± {number(sd)}"
    below = "" if diff is None else f"{number(diff, sign=True)}{interval(low, high, before=' ')}"
    return {"value": words, "below": ", ".join(filter(None, (below, row.get("note", ""))))}
