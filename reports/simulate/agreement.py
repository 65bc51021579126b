"""Whether tables decided all at once are decided as by the whole path, one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.results import Results
from nlbench.reports.simulate.cases import LIMIT, Case, some_better
from nlbench.reports.simulate.draw import CONDITIONS
from nlbench.reports.simulate.vectors import corrected, gate_tests
from nlbench.reports.simulate.whole import names, results_of
from nlbench.reports.stats import best_set

Floats = NDArray[np.float64]
CLOSE = 1e-9


def differing(case: Case, tables: int) -> int:
    """In how many tables p-values, intervals or best sets of the two differ."""
    count = 0
    for batch in case.batches(some_better(case.methods), tables, 3):
        tests = gate_tests(batch, CONDITIONS, LIMIT)
        for values, mean, half, p in zip(batch, tests.mean, tests.half, tests.p, strict=True):
            results = results_of(values, CONDITIONS)
            same = _gates_agree(results, mean, half, corrected(p, CONDITIONS))
            count += not (same and _best_agree(results, values))
    return count


def _gates_agree(results: Results, mean: Floats, half: Floats, p: Floats) -> bool:
    """Whether the estimates, intervals and corrected p of all gates are these."""
    found = [(g.mean.estimate, g.mean.low, g.mean.high, g.p_holm) for g in results.gates]
    expected = np.stack([mean, mean - half, mean + half, p], axis=-1)
    known = np.array(found, dtype=np.float64).reshape(expected.shape)
    return np.allclose(known, expected, rtol=0, atol=CLOSE, equal_nan=True)


def _best_agree(results: Results, values: Floats) -> bool:
    """Whether the best sets of all conditions without a collapsed run are these."""
    (block,) = results.blocks
    for at, line in enumerate(CONDITIONS):
        (condition,) = (c for c in block.conditions if c.line == line)
        one = values[:, at]
        if (one <= LIMIT).any():
            continue
        members = best_set(one).members.tolist()
        for method, best in zip(names(len(one)), members, strict=True):
            if (results.standing(block, condition, method).group == 1) != best:
                return False
    return True
