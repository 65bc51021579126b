"""Trained models, not methods: McNemar's test on which test images each of two got right."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from reports.cells import Block, Cell
from reports.results import Results
from reports.stats import discordant, holm, mcnemar

COLUMNS = (
    "data_label", "model", "profile", "condition", "seed", "a", "b", "test_size", "only_a_right",
    "only_b_right", "p", "p_holm", "family_size",
)  # fmt: skip


def mcnemar_table(results: Results) -> pd.DataFrame:
    """A row per pair of trained models of equal condition and seed, at the last epoch.

    Holm runs over all pairs of methods in one condition and seed. A small p says that these two
    models differ on images like the test set's, not that one method beats the other over seeds.
    """
    sizes = dict(zip(results.frame.runs["run_id"], results.frame.runs["test_size"], strict=True))
    rows = [
        row
        for block in results.blocks
        for condition in block.conditions
        for row in _condition(results, block, condition.line, sizes)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _condition(
    results: Results, block: Block, line: str, sizes: dict[str, Any]
) -> list[dict[str, Any]]:
    cells = [c for m in block.methods if (c := block.cells.get((m, line))) is not None]
    cells.sort(key=lambda cell: cell.method not in results.baseline)
    rows = []
    for seed in sorted({seed for cell in cells for seed in cell.seeds}):
        family = [
            row
            for b, a in combinations(cells, 2)
            if (row := _pair(results, block, a, b, seed, sizes)) is not None
        ]
        adjusted = holm(np.array([row["p"] for row in family], dtype=np.float64))
        for row, p in zip(family, adjusted, strict=True):
            rows.append({**row, "p_holm": float(f"{p:.6g}"), "family_size": len(family)})
    return rows


def _pair(
    results: Results, block: Block, a: Cell, b: Cell, seed: int, sizes: dict[str, Any]
) -> dict[str, Any] | None:
    """One comparison, ``None`` where a model's bits are not there or the test sets differ."""
    if seed not in a.seeds or seed not in b.seeds:
        return None
    first, second = a.run_ids[a.seeds.index(seed)], b.run_ids[b.seeds.index(seed)]
    bits = results.frame.correct
    if first not in bits or second not in bits or bits[first].shape != bits[second].shape:
        return None
    only_a, only_b = discordant(bits[first], bits[second])
    return {
        "data_label": block.data_label,
        "model": block.key.model,
        "profile": block.key.profile,
        "condition": a.condition,
        "seed": seed,
        "a": a.method,
        "b": b.method,
        "test_size": int(sizes[first]),
        "only_a_right": only_a,
        "only_b_right": only_b,
        "p": float(f"{mcnemar(only_a, only_b):.6g}"),
    }
