"""The one place where cells are compared: pairing, test, correction, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
        higher_is_better: direction of the metric.
    """

    name: str
    size: int
    metric: str
    unit: str
    rope: float | None
    test: SignificanceTest
    higher_is_better: bool


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
    shared = Family(family, len(pairs), metric, unit, rope, test, higher_is_better)
    samples = [_sample(pair, shared) for pair in pairs]
    free = [sample.pairing for sample in samples if sample.testable]
    tested = iter(paired_tests([(p.a, p.b) for p in free], test))
    # Together: drawn sign patterns are then applied to all differences at once.
    flips = iter(sign_flips([p.a - p.b for p in free]))
    tests = [_test(sample, next(tested) if sample.testable else None) for sample in samples]
    adjusted = holm_known(
        [None if sample.obstacle else t.p for sample, t in zip(samples, tests, strict=True)]
    )
    return tuple(
        _comparison(pair, sample, found, next(flips) if sample.testable else None, p, shared)
        for pair, sample, found, p in zip(pairs, samples, tests, adjusted, strict=True)
    )


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
        return f"{plural(n, family.unit)} cannot give p below {smallest:.3g} ({family.test.name})"
    return ""


def _comparison(
    pair: Pair,
    sample: _Sample,
    test: PairedTest,
    p_sign_flip: float | None,
    p_holm: float | None,
    family: Family,
) -> Comparison:
    a, b, pairing = pair.a, pair.b, sample.pairing
    tested, shown = not sample.obstacle, pairing.paired
    detectable, needed = _power(test, family) if sample.testable else (None, None)
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
        p_holm=p_holm,
        smallest_p=_smallest(test, sample.outcomes, family),
        family=family.name,
        family_size=family.size,
        d_z=test.d_z if shown else None,
        hedges=test.hedges if shown else None,
        rho=residual_correlation([(pairing.a, pairing.b)]) if shown else None,
        mde=detectable,
        rope=None if rope is None else student_rope(pairing.a - pairing.b, rope),
        seeds_needed=needed,
        words=_words(test, p_holm, sample, family.higher_is_better),
        at_chance=tuple(c.method for c in (a, b) if c.known.any() and c.collapsed[c.known].all()),
        outcomes=sample.outcomes,
    )


def _power(test: PairedTest, family: Family) -> tuple[float | None, int | None]:
    """Smallest difference found, and seeds needed for the rope, at Holm's first step.

    ``None`` where the family's test has not decided or its power is not known.
    """
    chosen, level = family.test, ALPHA / family.size
    if not test.sd or test.test != chosen.name:
        return None, None
    effect = chosen.detectable(test.n, level) if chosen.detectable else None
    # Effects in steps of 1 %, so that few of them have to be solved for.
    wanted = None if family.rope is None else float(f"{family.rope / test.sd:.3g}")
    return (
        None if effect is None else effect * test.sd,
        chosen.needed(wanted, level) if chosen.needed and wanted is not None else None,
    )


def _smallest(test: PairedTest, outcomes: Outcomes | None, family: Family) -> float:
    """Smallest p that the test which gave p could have given."""
    by_rates = outcomes is not None and test.test == RATES
    return outcomes.smallest if outcomes and by_rates else family.test.smallest(test.n)


def _words(test: PairedTest, p_holm: float | None, sample: _Sample, higher: bool) -> str:
    if sample.obstacle:
        return f"{NOT_COMPARABLE}: {sample.obstacle}"
    towards = direction(test, sample.outcomes, ALPHA)
    if p_holm is None or p_holm >= ALPHA or not towards:
        return UNDECIDED
    return BETTER if (towards > 0) == higher else WORSE


def _mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None
