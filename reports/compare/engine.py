"""The one place where cells are compared: pairing, test, correction, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.comparison import (
    ACCURACY,
    ALPHA,
    BETTER,
    NOT_COMPARABLE,
    UNDECIDED,
    WORSE,
    Comparison,
)
from nlbench.reports.compare.outcomes import RATES, Outcomes, direction, remaining, with_rates
from nlbench.reports.compare.pairing import Pairing, match
from nlbench.reports.read.cells import Cell
from nlbench.reports.read.names import noise_name
from nlbench.reports.stats import (
    PAIRED_T,
    PairedTest,
    SignificanceTest,
    holm_known,
    paired_t,
    paired_tests,
    residual_correlation,
    sign_flips,
    student_rope,
)
from nlbench.reports.text import plural

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Two cells to compare.

    Attributes:
        a: the cell that is judged.
        b: the cell it is judged against.
        free: fingerprints that differ on purpose, e.g. ``labels`` between noisy and clean.
        block: index of the block that both are in, if the comparison is to name it.
        nominal: nominal noise rate, if known.
    """

    a: Cell
    b: Cell
    free: frozenset[str] = frozenset()
    block: int | None = None
    nominal: float | None = None


@dataclass(frozen=True)
class Family:
    """What the comparisons of one family share.

    Attributes:
        name: of the family.
        size: declared comparisons.
        metric: what is compared.
        unit: what a replicate is, singular.
        rope: half width of the region of practical equivalence in points; ``None`` without one.
        test: decides.
        planned_sd: standard deviation of the differences that was assumed beforehand, if any.
    """

    name: str
    size: int
    metric: str = ACCURACY
    unit: str = "seed"
    rope: float | None = None
    test: SignificanceTest = PAIRED_T
    planned_sd: float | None = None


def paired_comparisons(
    pairs: Sequence[Pair],
    *,
    family: str,
    metric: str = ACCURACY,
    unit: str = "seed",
    rope: float | None = None,
    test: SignificanceTest = PAIRED_T,
    higher_is_better: bool = True,
) -> tuple[Comparison, ...]:
    """Compare every pair, corrected by Holm over all of them, tested or not.

    Args:
        pairs: the declared family; a pair without data still counts in it, so that its size does
            not depend on what has been run.
        family: name of the family.
        metric: name of the measure; cells hold it in percent.
        unit: what a replicate is, singular.
        rope: half width of the region of practical equivalence in points; ``None`` for a measure
            without one.
        test: what decides.
        higher_is_better: direction of the measure.
    """
    shared = Family(family, len(pairs), metric, unit, rope, test)
    return corrected(uncorrected(pairs, shared), higher_is_better)


def uncorrected(pairs: Sequence[Pair], family: Family) -> tuple[Comparison, ...]:
    """Compare every pair without a correction: ``p_holm`` is to come, nothing is decided yet."""
    samples = [_sample(pair, family) for pair in pairs]
    free = [sample.pairing for sample in samples if sample.testable]
    tested = iter(paired_tests([(p.a, p.b) for p in free], family.test))
    # Together: drawn sign patterns are then applied to all differences at once.
    flips = iter(sign_flips([p.a - p.b for p in free]))
    tests = [_test(sample, next(tested) if sample.testable else None) for sample in samples]
    return tuple(
        _comparison(pair, sample, found, next(flips) if sample.testable else None, family)
        for pair, sample, found in zip(pairs, samples, tests, strict=True)
    )


def corrected(
    comparisons: Sequence[Comparison], higher_is_better: bool = True, **changes: Any
) -> tuple[Comparison, ...]:
    """The same with Holm over all of them, and their verdicts.

    Args:
        comparisons: a family, of :func:`uncorrected`.
        higher_is_better: direction of the measure.
        changes: further fields of each.
    """
    adjusted = holm_known([c.p for c in comparisons])
    return tuple(
        replace(c, p_holm=p, words=verdict(c, p, higher_is_better), **changes)
        for c, p in zip(comparisons, adjusted, strict=True)
    )


def verdict(comparison: Comparison, p_holm: float | None, higher_is_better: bool = True) -> str:
    """``better``, ``worse`` or ``undecided`` at this corrected p; why not, where not compared."""
    if not comparison.comparable:
        return comparison.words
    if p_holm is None or p_holm >= ALPHA or not comparison.towards:
        return UNDECIDED
    return BETTER if (comparison.towards > 0) == higher_is_better else WORSE


@dataclass(frozen=True)
class _Sample:
    """What is tested of a pair.

    Attributes:
        pairing: the seeds that are compared; those of collapsed runs may be left out.
        expected: replicates declared for both.
        outcomes: of all pairs of runs, if one of the cells has both collapsed and other runs.
        obstacle: why the two cells are not compared, in words; empty if they can be.
        testable: whether the suite's test can be made on what remains.
    """

    pairing: Pairing
    expected: int
    outcomes: Outcomes | None
    obstacle: str
    testable: bool


def _sample(pair: Pair, family: Family) -> _Sample:
    whole = match(pair.a, pair.b, pair.free)
    obstacle = _obstacle(whole, family)
    if obstacle:
        return _Sample(whole, whole.expected, None, obstacle, False)
    rest, outcomes = remaining(whole, pair.a, pair.b)
    n = len(rest.seeds)
    testable = n > 1 and family.test.smallest(n) < ALPHA
    return _Sample(rest, whole.expected, outcomes, "", testable)


def _test(sample: _Sample, tested: PairedTest | None) -> PairedTest:
    """The pair's test; the rates of collapse are part of it where runs collapsed."""
    pairing, outcomes = sample.pairing, sample.outcomes
    if tested is None:
        tested = replace(paired_t(pairing.a, pairing.b), p=None, t=None, test="none")
    return tested if outcomes is None else with_rates(tested, outcomes, ALPHA)


def _obstacle(pairing: Pairing, family: Family) -> str:
    """Why the two cells are not compared, in words; empty if they can be."""
    n, expected = len(pairing.seeds), pairing.expected
    if expected == 0:
        return "they share no seeds"
    if not pairing.paired:
        return f"not paired ({pairing.reason()})"
    if n < expected:
        return f"incomplete ({n} of {plural(expected, 'seed')})"
    if n == 1:
        return "one seed has no spread to test against"
    smallest = family.test.smallest(n)
    if smallest >= ALPHA:
        few = plural(n, family.unit)
        return f"cannot be decided with {few} (no {family.test.name} p below {smallest:.3g})"
    return ""


def _comparison(
    pair: Pair,
    sample: _Sample,
    test: PairedTest,
    p_sign_flip: float | None,
    family: Family,
) -> Comparison:
    a, b, pairing = pair.a, pair.b, sample.pairing
    tested, shown = not sample.obstacle, pairing.paired
    detectable, needed = planned(sample.expected, family)
    rope = family.rope if sample.testable else None
    return Comparison(
        block=pair.block,
        metric=family.metric,
        condition=a.condition,
        noise_type=noise_name(a.condition).type,
        nominal_rate=pair.nominal,
        a=a.method,
        b=b.method,
        unit=family.unit,
        n=test.n,
        expected_n=sample.expected,
        mean_a=_mean(pairing.a),
        mean_b=_mean(pairing.b),
        estimate=test.estimate,
        sd=test.sd if shown else None,
        ci_low=test.low if shown else None,
        ci_high=test.high if shown else None,
        test=test.test if tested else "none",
        t=test.t if tested else None,
        p=test.p if tested else None,
        p_sign_flip=p_sign_flip,
        p_holm=None,
        smallest_p=_smallest(test, sample.outcomes, family),
        family=family.name,
        family_size=family.size,
        d_z=test.d_z if shown else None,
        hedges=test.hedges if shown else None,
        rho=residual_correlation([(pairing.a, pairing.b)]) if shown else None,
        mde=detectable,
        rope=None if rope is None else student_rope(pairing.a - pairing.b, rope),
        seeds_needed=needed,
        words=f"{NOT_COMPARABLE}: {sample.obstacle}" if sample.obstacle else UNDECIDED,
        towards=0 if sample.obstacle else direction(test, sample.outcomes, ALPHA),
        at_chance=tuple(c.method for c in (a, b) if c.known.any() and c.collapsed[c.known].all()),
        outcomes=sample.outcomes,
    )


def planned(n: int, family: Family) -> tuple[float | None, int | None]:
    """What the test finds with 80 % power at Holm's first step, as it was planned.

    Returns:
        The smallest true difference that n replicates find, and the replicates that find one as
        large as the region of equivalence; both for the standard deviation assumed beforehand,
        ``None`` without one or where the test's power is not known.
    """
    sd, test, level = family.planned_sd, family.test, ALPHA / family.size
    if sd is None:
        return None, None
    effect = test.detectable(n, level) if test.detectable else None
    return (
        None if effect is None else effect * sd,
        test.needed(family.rope / sd, level) if test.needed and family.rope else None,
    )


def _smallest(test: PairedTest, outcomes: Outcomes | None, family: Family) -> float:
    """Smallest p that the test which gave p could have given."""
    by_rates = outcomes is not None and test.test == RATES
    return outcomes.smallest if outcomes and by_rates else family.test.smallest(test.n)


def _mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None
