"""Significance matrices: every pair of methods in every condition, both ways round.

Of many methods: every method against the baseline, a column per condition.
"""

from __future__ import annotations

from typing import Any

from nlbench.reports.compare.comparison import BETTER, DECLARED, UNDECIDED, WORSE, Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Condition
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.grid import MOST_COLUMNS
from nlbench.reports.text import number, p_value

OTHER_WAY = {BETTER: WORSE, WORSE: BETTER}
SIGNS = {BETTER: "▲", WORSE: "▼", UNDECIDED: "≈"}


def matrices(results: Results, block: Block) -> list[dict[str, Any]]:
    """One matrix per condition with comparisons; row method minus column method.

    Where methods are many, one matrix for each baseline: a row per method, a column per condition.
    """
    if len(block.methods) > MOST_COLUMNS:
        return [
            _against(results, block, name) for name in block.methods if name in results.baseline
        ]
    return [
        {
            "condition": condition.line,
            "pretty": pretty_condition(condition.line),
            "type": condition.type,
            "columns": list(block.methods),
            "rows": _rows(block, found),
        }
        for condition in block.conditions
        if (found := _both_ways(results, block, condition))
    ]


def sentences(results: Results, block: Block) -> list[dict[str, str]]:
    """All comparisons of a block in words, in table order; of many methods the declared ones."""
    many = len(block.methods) > MOST_COLUMNS
    return [
        {"condition": pretty_condition(v.condition), "words": v.words, "sentence": v.sentence()}
        for v in results.in_block(block)
        if not many or v.role == DECLARED
    ]


def _against(results: Results, block: Block, baseline: str) -> dict[str, Any]:
    found = [_both_ways(results, block, condition) for condition in block.conditions]
    return {
        "condition": "",
        "pretty": f"every method against {baseline}",
        "type": "",
        "columns": [pretty_condition(condition.line) for condition in block.conditions],
        "rows": [
            {"method": a, "cells": [pairs.get((a, baseline)) for pairs in found]}
            for a in block.methods
            if a != baseline
        ],
    }


def _both_ways(
    results: Results, block: Block, condition: Condition
) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for verdict in results.of(block, condition):
        found[verdict.a, verdict.b] = _entry(verdict, flip=False)
        found[verdict.b, verdict.a] = _entry(verdict, flip=True)
    return found


def _rows(block: Block, found: dict[tuple[str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"method": a, "cells": [found.get((a, b)) for b in block.methods]} for a in block.methods
    ]


def _entry(verdict: Comparison, flip: bool) -> dict[str, Any]:
    estimate = verdict.estimate
    if flip and estimate is not None:
        estimate = -estimate
    words = OTHER_WAY.get(verdict.words, verdict.words) if flip else verdict.words
    kind = words if verdict.comparable else "refused"
    return {
        "kind": kind,
        "sign": SIGNS.get(kind, "?"),
        "estimate": estimate,
        "shown": number(estimate, sign=True),
        "p": p_value(verdict.p_holm),
        "sentence": verdict.sentence(),
    }
