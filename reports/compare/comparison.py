"""All pairs of methods in every condition, with Holm over the declared families."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.pairing import Pairing, match
from nlbench.reports.compare.verdict import ALPHA, BETTER, NOT_COMPARABLE, UNDECIDED, WORSE, Verdict
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.names import noise_name
from nlbench.reports.stats import (
    holm,
    minimum_detectable_effect,
    paired_t,
    residual_correlation,
    seeds_needed,
    sign_flips,
    student_rope,
)
from nlbench.reports.text import plural

Floats = NDArray[np.float64]


def compare(
    blocks: Sequence[Block], baseline: Collection[str], rope: float = 0.5
) -> tuple[Verdict, ...]:
    """Every pair of methods in every condition of every block.

    A family is all method pairs in one block and noise type, over its rates; its size is what was
    declared, not what has been run, so that it does not depend on the data. The later declared
    method is judged against the earlier one, and every method against the baseline.

    Args:
        blocks: cells to compare.
        baseline: labels of the methods that are always the second of a pair.
        rope: half width of the region of practical equivalence, points.
    """
    verdicts: list[Verdict] = []
    for block in blocks:
        for noise_type in block.noise_types:
            family = [
                _verdict(block, condition, a, b)
                for condition in block.family(noise_type)
                for a, b in _pairs(block, condition, baseline)
            ]
            verdicts += _corrected(family, f"{block.title}, {noise_type}", rope)
    return tuple(verdicts)


def one_family(
    block: Block,
    condition: Condition,
    pairs: Sequence[tuple[Cell, Cell]],
    name: str,
    rope: float = 0.5,
) -> tuple[Verdict, ...]:
    """Chosen pairs (a, b) in one condition, tested and corrected as a family of their own."""
    family = [_verdict(block, condition, a, b) for a, b in pairs]
    return tuple(_corrected(family, name, rope))


def _pairs(
    block: Block, condition: Condition, baseline: Collection[str]
) -> Iterator[tuple[Cell, Cell]]:
    cells = [block.cells.get((method, condition.line)) for method in block.methods]
    there = [cell for cell in cells if cell is not None]
    # A stable sort: the baseline's variants first, the rest as declared.
    there.sort(key=lambda cell: cell.method not in baseline)
    for earlier, later in combinations(there, 2):
        yield later, earlier


def _verdict(block: Block, condition: Condition, a: Cell, b: Cell) -> tuple[Verdict, Floats]:
    """The comparison before correction, and its differences if they may be tested.

    ``words`` holds the obstacle, if there is one; the differences are then none.
    """
    pairing = match(a, b)
    test = paired_t(pairing.a, pairing.b)
    obstacle = _obstacle(pairing, a, b)
    tested = not obstacle
    shown = pairing.paired
    name = noise_name(condition.line)
    verdict = Verdict(
        block=block.index,
        condition=condition.line,
        noise_type=name.type,
        nominal_rate=condition.nominal,
        a=a.method,
        b=b.method,
        n=test.n,
        expected_n=pairing.expected,
        mean_a=_mean(pairing.a),
        mean_b=_mean(pairing.b),
        estimate=test.estimate,
        sd=test.sd if shown else None,
        ci_low=test.low if shown else None,
        ci_high=test.high if shown else None,
        test=test.test if tested else "none",
        t=test.t if tested else None,
        p=test.p if tested else None,
        p_sign_flip=None,
        p_holm=None,
        family="",
        family_size=0,
        d_z=test.d_z if shown else None,
        hedges=test.hedges if shown else None,
        rho=residual_correlation([(pairing.a, pairing.b)]) if shown else None,
        mde=None,
        rope=None,
        seeds_needed=None,
        words=f"{NOT_COMPARABLE}: {obstacle}" if obstacle else UNDECIDED,
        at_chance=tuple(c.method for c in (a, b) if c.known.any() and c.collapsed[c.known].all()),
    )
    return verdict, pairing.a - pairing.b if tested else np.empty(0)


def _obstacle(pairing: Pairing, a: Cell, b: Cell) -> str:
    """Why the two cells are not compared, in words; empty if nothing stands in the way."""
    n, expected = len(pairing.seeds), pairing.expected
    if expected == 0:
        return "they share no seeds"
    if not pairing.paired:
        return f"not paired ({pairing.reason()})"
    if n < expected:
        return f"incomplete ({n} of {plural(expected, 'seed')})"
    for cell in (a, b):
        if cell.mixed:
            collapsed = int(cell.collapsed.sum())
            return f"{collapsed} of {cell.summary.n} runs of {cell.method} collapsed"
    return "one seed has no spread to test against" if n == 1 else ""


def _corrected(family: list[tuple[Verdict, Floats]], name: str, rope: float) -> Iterator[Verdict]:
    size = len(family)
    raw = np.array([np.nan if v.p is None else v.p for v, _ in family], dtype=np.float64)
    flips = iter(sign_flips([differences for _, differences in family if len(differences)]))
    for (verdict, differences), p in zip(family, holm(raw), strict=True):
        effect = minimum_detectable_effect(verdict.n, ALPHA / size)
        known = verdict.sd is not None and effect is not None and verdict.test == "paired t"
        yield replace(
            verdict,
            family=name,
            family_size=size,
            p_sign_flip=next(flips) if len(differences) else None,
            p_holm=None if np.isnan(p) else float(p),
            mde=(effect or 0.0) * (verdict.sd or 0.0) if known else None,
            rope=student_rope(differences, rope),
            seeds_needed=_seeds(verdict.sd, rope, ALPHA / size) if known else None,
            words=_words(verdict, float(p)),
        )


def _seeds(sd: float | None, rope: float, alpha: float) -> int | None:
    """Seeds that would find a difference of ``rope`` points; effects in steps of 1 %."""
    return seeds_needed(float(f"{rope / sd:.3g}"), alpha) if sd else None


def _words(verdict: Verdict, p: float) -> str:
    if not verdict.comparable or np.isnan(p) or p >= ALPHA:
        return verdict.words
    return BETTER if (verdict.estimate or 0.0) > 0 else WORSE


def _mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None
