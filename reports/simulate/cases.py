"""How often reports err, cover and find, for many tables of known truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.comparison import ALPHA
from nlbench.reports.read.cells import collapse_threshold
from nlbench.reports.simulate.draw import CLASSES, CONDITIONS, SD, SHAPES, World, draw
from nlbench.reports.simulate.vectors import (
    corrected,
    gate_tests,
    gates_of,
    may_decide,
    paired,
)
from nlbench.reports.stats import best_set

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
SEEDS, METHODS = (3, 5, 10), (3, 10, 25)
LIMIT = collapse_threshold(CLASSES)
AT_ONCE = 1_000_000  # differences of all pairs of a batch: bounds the memory
ASYMMETRIC = [at for at, line in enumerate(CONDITIONS) if line.startswith("asymmetric")]


@dataclass(frozen=True)
class Case:
    """A shape of SHAPES, so many methods and so many seeds."""

    shape: str
    methods: int
    seeds: int

    def batches(self, effects: Floats, tables: int, purpose: int) -> Iterator[Floats]:
        """(some, methods, conditions, seeds) accuracies, so many tables in all.

        Args:
            effects: (methods, conditions) true means above points.
            tables: how many.
            purpose: of the draws, which do not depend on what else is simulated.
        """
        world = World(self.shape, effects, self.seeds)
        most = max(1, AT_ONCE // (self.methods**2 * effects.shape[1] * self.seeds))
        for first in range(0, tables, most):
            key = [purpose, list(SHAPES).index(self.shape), self.methods, self.seeds, first]
            generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))
            yield draw(world, most, generator)[: tables - first]


def equal_methods(case: Case, tables: int) -> dict[str, float]:
    """All methods are equal: percent of reports that decide something, percent that is covered.

    Returns:
        ``report``: a declared comparison is decided. ``exploratory``: one of the other pairs is.
        ``best set``: a method is not in it, though none is better. ``mean``, ``difference``,
        ``over conditions``: the 95 % interval of a cell's mean, of a paired difference in one
        condition and of its mean over a gate's conditions holds the true value.
    """
    hits: dict[str, list[Bools]] = defaultdict(list)
    for values in case.batches(np.zeros((case.methods, len(CONDITIONS))), tables, 0):
        for name, found in _of_equals(values, SHAPES[case.shape].mean).items():
            hits[name].append(found)
    return {name: _percent(found) for name, found in hits.items()}


def _percent(hits: Sequence[Bools]) -> float:
    return 100 * float(np.concatenate(hits).mean())


def _of_equals(values: Floats, mean: float) -> dict[str, Bools]:
    gates = gate_tests(values, CONDITIONS, LIMIT)
    alone = [at for at, part in enumerate(gates_of(CONDITIONS)) if len(part) == 1]
    held = gates.held(0.0)
    kept = np.where(values <= LIMIT, np.nan, values)
    return {
        "report": may_decide(gates.p),
        "exploratory": _exploratory(kept),
        "best set": ~best_set(kept[:, :, 0]).members.ravel(),
        "mean": _there(paired(values).held(mean)),
        "difference": _there(held[:, :, alone]),
        "over conditions": _there(np.delete(held, alone, axis=2)),
    }


def _there(held: Floats) -> Bools:
    """Flat, without the places that have no interval."""
    return held[~np.isnan(held)] > 0


def _exploratory(values: Floats) -> Bools:
    """(tables,) whether Holm over all pairs without the baseline decides one."""
    first, second = np.array(list(combinations(range(1, values.shape[1]), 2))).T
    p = paired(values[:, second] - values[:, first]).p.reshape(len(values), -1)
    return np.asarray(np.nanmin(p, axis=1) * p.shape[1] < ALPHA)


def some_better(methods: int) -> Floats:
    """Effects: a third is better everywhere, a third on asymmetric noise only, a third nowhere."""
    effects = np.zeros((methods, len(CONDITIONS)))
    effects[1::3] = 2 * SD
    effects[2::3, ASYMMETRIC] = 2 * SD
    return effects


def some_methods(case: Case, tables: int) -> dict[str, float]:
    """Some methods are better than the baseline.

    Returns:
        ``report``: percent of reports with a declared verdict that is false: equal methods, or the
        wrong direction. ``first gate`` and ``condition``: percent of the true differences that
        are decided, on average over all conditions and in single ones.
    """
    effects = some_better(case.methods)
    parts = gates_of(CONDITIONS)
    true = np.stack([effects[1:, list(part)].mean(axis=1) for part in parts], axis=1)
    alone = np.array([len(part) == 1 for part in parts])
    wrong, decided = [], []
    for values in case.batches(effects, tables, 1):
        gates = gate_tests(values, CONDITIONS, LIMIT)
        may = may_decide(gates.p)
        for mean, p, able in zip(gates.mean, gates.p, may.tolist(), strict=True):
            found = corrected(p, CONDITIONS) < ALPHA if able else np.zeros(p.shape, dtype=bool)
            wrong.append(bool((found & (np.sign(mean) != np.sign(true))).any()))
            decided.append(found & (np.sign(mean) == np.sign(true)))
    right, real = np.mean(decided, axis=0), np.abs(true) > 0
    return {
        "report": 100 * float(np.mean(wrong)),
        "first gate": 100 * float(right[:, 0][real[:, 0]].mean()),
        "condition": 100 * float(right[:, alone][real[:, alone]].mean()),
    }
