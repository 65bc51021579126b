"""Trained models, not methods: McNemar's test on which test images each of two got right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nlbench.reports.compare.results import Results
from nlbench.reports.digits import significant
from nlbench.reports.read.cells import Cell
from nlbench.reports.stats import discordant, holm, mcnemar

Bits = NDArray[np.uint8]
SEEDS = 50
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
            found = _families(cells, results.frame.correct, sizes)
            for seed in sorted(found):
                count = len(found[seed]["p"])
                fixed = dict(zip(COLUMNS, (*place, condition.line, seed), strict=False))
                repeated = {name: [value] * count for name, value in fixed.items()}
                for name, values in {**repeated, **found[seed]}.items():
                    rows[name] += values
    return pd.DataFrame(rows)


def _families(
    cells: Sequence[Cell], correct: Mapping[str, Bits], sizes: Mapping[str, Any]
) -> dict[int, dict[str, list[Any]]]:
    """Seed -> all pairs of its models whose bits are there, as columns."""
    held: dict[int, dict[str, str]] = {}
    for cell in cells:
        for seed, run_id in zip(cell.seeds, cell.run_ids, strict=True):
            if run_id in correct:
                held.setdefault(seed, {})[cell.method] = run_id
    alike: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for seed, models in held.items():
        images = {int(sizes[run_id]) for run_id in models.values()}
        if len(models) > 1 and len(images) == 1:
            alike.setdefault((images.pop(), tuple(models)), []).append(seed)
    found: dict[int, dict[str, list[Any]]] = {}
    for (size, methods), seeds in alike.items():
        # Seeds with the same models together, but not so many that their bits fill the memory.
        for at in range(0, len(seeds), SEEDS):
            part = seeds[at : at + SEEDS]
            bits = np.stack([[correct[i] for i in held[seed].values()] for seed in part])
            found |= zip(part, _pairs(methods, bits, size), strict=True)
    return found


def _pairs(methods: Sequence[str], bits: Bits, size: int) -> Iterator[dict[str, list[Any]]]:
    """The family of every seed of ``bits`` (seeds, methods, bytes), as columns."""
    second, first = (list(i) for i in zip(*combinations(range(len(methods)), 2), strict=True))
    only_a, only_b = discordant(bits[:, first], bits[:, second])
    count = len(first)
    for a, b, p in zip(only_a, only_b, mcnemar(only_a, only_b), strict=True):
        yield {
            "a": [methods[i] for i in first],
            "b": [methods[i] for i in second],
            "test_size": [size] * count,
            "only_a_right": a.tolist(),
            "only_b_right": b.tolist(),
            "p": list(map(significant, p.tolist())),
            "p_holm": list(map(significant, holm(p).tolist())),
            "family_size": [count] * count,
        }
