"""Trained models, not methods: McNemar's test on which test images each of two got right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reports.cells import Cell
from reports.results import Results
from reports.stats import discordant, holm, mcnemar

Bits = NDArray[np.uint8]
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
    rows: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for block in results.blocks:
        place = (block.data_label, block.key.model, block.key.profile)
        for condition in block.conditions:
            cells = [c for m in block.methods if (c := block.cells.get((m, condition.line)))]
            cells.sort(key=lambda cell: cell.method not in results.baseline)
            for seed in sorted({seed for cell in cells for seed in cell.seeds}):
                found = _family(cells, seed, results.frame.correct, sizes)
                count = len(found.get("p", ()))
                fixed = dict(zip(COLUMNS, (*place, condition.line, seed), strict=False))
                repeated = {name: [value] * count for name, value in fixed.items()}
                for name, values in {**repeated, **found}.items():
                    rows[name] += values
    return pd.DataFrame(rows)


def _family(
    cells: Sequence[Cell], seed: int, correct: Mapping[str, Bits], sizes: Mapping[str, Any]
) -> dict[str, list[Any]]:
    """All pairs of models of one condition and seed whose bits are there, as columns."""
    there = [
        (cell.method, correct[run_id], sizes[run_id])
        for cell in cells
        if seed in cell.seeds and (run_id := cell.run_ids[cell.seeds.index(seed)]) in correct
    ]
    if len(there) < 2 or len({int(size) for _, _, size in there}) > 1:
        return {}
    second, first = (list(part) for part in zip(*combinations(range(len(there)), 2), strict=True))
    bits = np.stack([bits for _, bits, _ in there])
    only_a, only_b = discordant(bits[first], bits[second])
    p = mcnemar(only_a, only_b)
    return {
        "a": [there[i][0] for i in first],
        "b": [there[i][0] for i in second],
        "test_size": [int(there[0][2])] * len(p),
        "only_a_right": only_a.tolist(),
        "only_b_right": only_b.tolist(),
        "p": _digits(p),
        "p_holm": _digits(holm(p)),
        "family_size": [len(p)] * len(p),
    }


def _digits(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
