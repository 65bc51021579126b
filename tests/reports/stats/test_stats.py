"""The statistics against SciPy, statsmodels, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from nlbench.reports.stats import (
    holm,
    mean_interval,
    minimum_detectable_effect,
    paired_t,
    power,
    residual_correlation,
    seeds_needed,
    sign_flip,
    smallest_p,
)

Floats = NDArray[np.float64]


def equal(mine: object, theirs: object, tolerance: float = 1e-10) -> None:
    """Element by element, relative."""
    a, b = np.asarray(mine, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-12)


def draws(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


@pytest.mark.parametrize("n", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("seed", range(5))
def test_paired_t_agrees_with_scipy(n: int, seed: int) -> None:
    a, b = draws(seed).normal(80, 2, (2, n))
    mine, theirs = paired_t(a, b), scipy_stats.ttest_rel(a, b)
    interval = theirs.confidence_interval(0.95)
    equal(
        [mine.t, mine.p, mine.low, mine.high],
        [theirs.statistic, theirs.pvalue, interval.low, interval.high],
    )


def test_effect_size_is_the_mean_difference_over_its_sd_with_hedges_correction() -> None:
    found = paired_t(np.array([3.0, 5.0, 4.0]), np.array([1.0, 2.0, 2.5]))
    differences = np.array([2.0, 3.0, 1.5])
    d_z = differences.mean() / differences.std(ddof=1)
    assert found.d_z == pytest.approx(d_z, rel=1e-12)
    assert found.hedges == pytest.approx(d_z * (1 - 3 / 7), rel=1e-12)


def test_one_seed_has_no_sd_no_interval_and_no_test() -> None:
    summary, found = mean_interval(np.array([90.0])), paired_t(np.array([90.0]), np.array([80.0]))
    assert (summary.n, summary.mean) == (1, 90.0)
    assert summary.sd is summary.low is summary.high is None
    assert (found.estimate, found.p, found.sd, found.test) == (10.0, None, None, "none")


def test_no_seed_has_nothing() -> None:
    assert mean_interval(np.empty(0)).mean is None
    assert paired_t(np.empty(0), np.empty(0)).estimate is None


def test_equal_values_are_identical_not_a_division_by_zero() -> None:
    values = np.array([80.1, 80.2, 80.3])
    found = paired_t(values, values.copy())
    assert (found.test, found.p, found.estimate, found.t) == ("identical", 1.0, 0.0, None)


def test_a_constant_difference_gets_the_sign_flip_p_because_it_has_no_spread() -> None:
    b = np.array([80.1, 81.7, 79.3, 80.0, 84.2])
    found = paired_t(b + 0.2, b)
    assert found.test == "exact sign-flip"
    assert found.p == pytest.approx(smallest_p(5))
    assert found.low is found.t is found.d_z is None


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes"):
        paired_t(np.zeros(3), np.zeros(4))


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_sign_flip_agrees_with_scipys_exact_permutation_test(n: int) -> None:
    differences = draws(n).normal(0.4, 1, n)
    theirs: float = 1.0
    if n > 1:
        found = scipy_stats.permutation_test(
            (differences,), np.mean, permutation_type="samples", n_resamples=2**n
        )
        theirs = float(np.asarray(found.pvalue))
    assert sign_flip(differences) == pytest.approx(theirs, abs=1e-12)


def test_the_floor_of_sign_flip_and_signed_rank_tests() -> None:
    for n in (3, 5, 6, 10):
        same_sign = np.arange(1.0, n + 1)
        assert sign_flip(same_sign) == pytest.approx(smallest_p(n))
        exact = scipy_stats.wilcoxon(same_sign, method="exact").pvalue
        assert smallest_p(n) == pytest.approx(exact)
    assert smallest_p(5) == 0.0625


def test_sampled_sign_flip_is_near_the_exact_one_and_knows_no_global_state() -> None:
    differences = draws(1).normal(0.3, 1, 30)
    first = sign_flip(differences)
    np.random.seed(0)  # noqa: NPY002 - the point of the test
    np.random.random(10)  # noqa: NPY002
    assert sign_flip(differences) == first
    assert first == pytest.approx(paired_t(differences, np.zeros(30)).p, abs=0.02)


def test_no_differences_cannot_be_flipped() -> None:
    with pytest.raises(ValueError, match="no differences"):
        sign_flip(np.empty(0))


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
def test_holm_is_monotone_bounded_and_between_raw_and_bonferroni(p: Floats) -> None:
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, len(p) * p) + 1e-15).all() or len(p) == 1
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("seed", range(10))
def test_holm_agrees_with_statsmodels(seed: int) -> None:
    p = draws(seed).random(1 + 3 * seed) ** 3
    p[seed:] = p[: len(p) - seed]  # ties
    equal(holm(p), multipletests(p, method="holm")[1])


def test_holm_counts_what_is_missing() -> None:
    with_gap = holm(np.array([0.01, np.nan, 0.04, 0.03]))
    assert np.isnan(with_gap[1])
    np.testing.assert_allclose(with_gap[[0, 2, 3]], [0.04, 0.09, 0.09])
    assert np.isnan(holm(np.array([np.nan, np.nan]))).all()


# facts: smallest difference found with 80 % power, in SDs of the paired difference
MDE = {
    3: (3.26, 4.6, 5.7),
    4: (2.13, 2.72, 3.12),
    5: (1.68, 2.05, 2.29),
    6: (1.43, 1.71, 1.88),
    7: (1.27, 1.49, 1.62),
    8: (1.16, 1.34, 1.45),
    10: (1.00, 1.14, 1.22),
    15: (0.78, 0.88, 0.93),
    20: (0.66, 0.74, 0.78),
    30: (0.53, 0.59, 0.62),
}


@pytest.mark.parametrize("n", MDE)
def test_minimum_detectable_effects_of_the_published_table(n: int) -> None:
    found = [minimum_detectable_effect(n, 0.05 / m) for m in (1, 2, 3)]
    tolerance = 0.051 if n == 3 else 0.0051
    for mine, theirs in zip(found, MDE[n], strict=True):
        assert mine == pytest.approx(theirs, abs=tolerance)


def test_minimum_detectable_effect_where_power_solvers_fail() -> None:
    assert minimum_detectable_effect(1) is None
    for n, alpha in ((2, 0.05 / 90), (3, 0.05 / 90), (4, 1e-6)):
        effect = minimum_detectable_effect(n, alpha)
        assert effect is not None
        assert power(effect, n, alpha) == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize("n", [3, 5, 10, 30])
@pytest.mark.parametrize("effect", [0.0, 0.2, 0.8, 1.5])
def test_power_agrees_with_statsmodels(n: int, effect: float) -> None:
    theirs = TTestPower().power(effect, n, 0.05, alternative="two-sided")
    assert power(effect, n) == pytest.approx(float(theirs), abs=1e-8)


def test_power_agrees_with_simulation() -> None:
    samples = draws(0).normal(0.8, 1, (20_000, 5))
    t = samples.mean(1) / (samples.std(1, ddof=1) / np.sqrt(5))
    found = np.mean(np.abs(t) > scipy_stats.t.ppf(0.975, 4))
    assert power(0.8, 5) == pytest.approx(found, abs=0.01)


@pytest.mark.parametrize("effect", [0.3, 0.5, 1.0, 1.68, 4.0])
def test_seeds_needed_is_the_first_n_with_enough_power(effect: float) -> None:
    n = seeds_needed(effect)
    assert n is not None
    assert power(effect, n) >= 0.8
    assert n == 2 or power(effect, n - 1) < 0.8


def test_no_number_of_seeds_finds_nothing() -> None:
    assert seeds_needed(0.0) is None
    with pytest.raises(ValueError, match="n >= 2"):
        power(1.0, 1)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_t_interval_covers_95_percent(n: int) -> None:
    samples = draws(n).normal(0.3, 2, (4000, n))
    intervals = [mean_interval(row) for row in samples]
    covered = [
        i.low is not None and i.high is not None and i.low <= 0.3 <= i.high for i in intervals
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)


def test_false_positives_five_percent_a_test_and_a_family() -> None:
    """Three methods that are equal, five seeds that share luck: 1,500 studies."""
    generator = draws(7)
    single, family = [], []
    for _ in range(1500):
        values = generator.normal(0, 1, (3, 5)) + generator.normal(0, 1, 5)
        p = np.array([paired_t(values[i], values[j]).p for i, j in ((0, 1), (0, 2), (1, 2))])
        single.append(p[0] < 0.05)
        family.append((holm(p.astype(np.float64)) < 0.05).any())
    assert np.mean(single) == pytest.approx(0.05, abs=0.015)
    assert np.mean(family) <= 0.05 + 0.012


def test_residual_correlation_takes_the_conditions_means_off_first() -> None:
    generator = draws(3)
    a, b = generator.normal(0, 1, (2, 400))
    far_apart = [(a, b), (a + 50, b + 50)]
    assert residual_correlation(far_apart) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-9)
    assert residual_correlation([(a, a)]) == pytest.approx(1.0)
    assert residual_correlation([(a[:2], b[:2])]) is None
    assert residual_correlation([(np.ones(5), b[:5])]) is None
