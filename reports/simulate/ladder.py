"""A ladder of methods: how many the best set keeps, and what a report finds."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.comparison import ALPHA
from nlbench.reports.simulate.draw import CONDITIONS, LEVEL, SD
from nlbench.reports.simulate.vectors import corrected, gate_tests, gates_of, paired
from nlbench.reports.stats import best_set, holm

Floats = NDArray[np.float64]
LADDER = (0.75, 5.5)  # standard deviations below the best
BATCH = 50
LADDER_SPREAD = 0.4  # of the logarithm of the methods' standard deviations


def ladder(methods: int, seeds: int, tables: int) -> dict[str, float]:
    """Three equal methods at the top, a ladder of worse ones, spreads that differ.

    Returns:
        ``Holm``: methods that no test against the best mean decides, Holm over all pairs of the
        condition (the rule before the best set). ``best set``: methods in it. ``lost``: percent
        of the three that are not in it. ``power Holm``: percent of the differences to the worst
        method that Holm over methods - 1 decides in one condition, ``all Holm``: and over them
        and six conditions. ``first gate`` and ``condition``: percent of them that the gates of a
        report of six conditions decide.
    """
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([2, methods, seeds])))
    steps = np.concatenate([np.linspace(LADDER[1], LADDER[0], methods - 3), np.zeros(3)])
    counts: dict[str, list[Floats]] = defaultdict(list)
    for _ in range(0, tables, BATCH):
        spread = np.exp(LADDER_SPREAD * generator.normal(size=(BATCH, methods, 1, 1)))
        shared = generator.normal(size=(BATCH, 1, len(CONDITIONS), seeds))
        own = generator.normal(size=(BATCH, methods, len(CONDITIONS), seeds))
        values = LEVEL + SD * (shared + spread * own - steps[:, np.newaxis, np.newaxis])
        for name, found in _of_ladder(values).items():
            counts[name].append(found)
    return {name: float(np.mean(np.concatenate(found))) for name, found in counts.items()}


def _of_ladder(values: Floats) -> dict[str, Floats]:
    one = values[:, :, 0]
    members = best_set(one).members
    gates = gate_tests(values, CONDITIONS).p
    adjusted = np.array([corrected(p, CONDITIONS) for p in gates])
    alone = [len(part) == 1 for part in gates_of(CONDITIONS)]
    first = CONDITIONS[:1]
    singly = np.array([corrected(p, first) for p in gate_tests(values[:, :, :1], first).p])
    return {
        "Holm": np.array([_not_decided(table) for table in one]),
        "best set": members.sum(axis=1).astype(np.float64),
        "lost": 100.0 * ~members[:, -3:].ravel(),
        "power Holm": 100.0 * (singly < ALPHA).ravel(),
        "all Holm": 100.0 * (_all_holm(gates[:, :, alone]) < ALPHA).ravel(),
        "first gate": 100.0 * (adjusted[:, :, 0] < ALPHA).ravel(),
        "condition": 100.0 * (adjusted[:, :, alone] < ALPHA).ravel(),
    }


def _all_holm(p: Floats) -> Floats:
    """Holm over all comparisons of each table."""
    return np.array([holm(one.ravel()) for one in p])


def _not_decided(table: Floats) -> int:
    """Methods of (methods, seeds) that are not decided against the best mean."""
    first, second = np.triu_indices(len(table), 1)
    decided = holm(paired(table[first] - table[second]).p) < ALPHA
    best = int(table.mean(axis=1).argmax())
    return len(table) - int((decided & ((first == best) | (second == best))).sum())
