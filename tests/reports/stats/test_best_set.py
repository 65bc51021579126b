"""The best set against SciPy pair by pair, and its error by simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate
from scipy import stats as scipy_stats
from scipy.special import digamma, polygamma

from nlbench.reports.stats import MODERATED_FROM, best_set
from nlbench.reports.stats.moderated import Prior, prior, trigamma_inverse

Floats = NDArray[np.float64]


def draws(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


@pytest.mark.parametrize(("methods", "seeds"), [(2, 3), (4, 5), (9, 10)])
def test_a_method_is_dropped_where_scipys_one_sided_test_finds_a_better_one(
    methods: int, seeds: int
) -> None:
    for seed in range(20):
        values = draws(seed).normal(np.linspace(0, 4, methods)[:, np.newaxis], 1, (methods, seeds))
        values[0, 1] = np.nan  # a pair is compared over the replicates that both have
        dropped = set()
        for i in range(methods):
            for j in range(methods):
                there = ~np.isnan(values[i] + values[j])
                test = scipy_stats.ttest_rel(
                    values[j, there], values[i, there], alternative="greater"
                )
                if i != j and test.pvalue < 0.05 / (methods - 1):
                    dropped.add(i)
        found = best_set(values)
        assert set(np.flatnonzero(~found.members)) == dropped
        assert not found.moderated


def test_thresholds_are_students_quantiles() -> None:
    values = draws(0).normal(0, 1, (3, 5))
    expected = scipy_stats.t.isf(0.05 / 2, 4)
    assert best_set(values).thresholds == pytest.approx((expected, expected))
    # Declared methods without a value still count: a set does not shrink because runs are missing.
    assert best_set(values, methods=6).level == pytest.approx(0.01)
    assert best_set(values[:1]).thresholds is None
    assert best_set(values[:1]).members.tolist() == [True]
    assert best_set(values[:, :1]).members.all()


def test_pairs_that_may_not_be_compared_drop_nobody() -> None:
    values = np.array([[1.0, 1.1, 0.9, 1.0], [5.0, 5.2, 5.1, 4.9], [9.0, 9.1, 9.0, 9.2]])
    assert best_set(values).members.tolist() == [False, False, True]
    allowed = np.ones((3, 3), dtype=bool)
    allowed[1, 2] = allowed[2, 1] = False
    assert best_set(values, allowed).members.tolist() == [False, True, True]


@pytest.mark.parametrize(("seeds", "dropped"), [(5, False), (6, True)])
def test_a_constant_difference_has_the_sign_flips_p(seeds: int, dropped: bool) -> None:
    base = np.arange(seeds) / 7
    three = np.stack([base, base + 0.25, base[::-1] + 0.1])
    assert best_set(three).members[0] == (not dropped)  # 2^-5 > 0.05 / 2 > 2^-6
    assert best_set(np.stack([base, base])).members.all()


def test_the_moderated_t_is_the_formula_written_out() -> None:
    k, n = 12, 4
    values = draws(3).normal(np.linspace(0, 2, k)[:, np.newaxis], 0.5, (k, n))
    values[3] *= 3
    pairs = list(combinations(range(k), 2))
    variances = np.array([np.var(values[i] - values[j], ddof=1) for i, j in pairs])
    shared = prior(variances, np.full(len(pairs), n - 1.0))
    d0, s0 = float(shared.degrees), float(shared.variance)
    assert 0 < d0 < 100
    dropped = set()
    for (i, j), variance in zip(pairs, variances, strict=True):
        s = np.sqrt((d0 * s0 + (n - 1) * variance) / (d0 + n - 1))
        t = np.mean(values[i] - values[j]) / (s / np.sqrt(n))
        degrees = min(d0 + n - 1, (k - 1) * (n - 1))
        if scipy_stats.t.sf(abs(t), degrees) < 0.05 / (k - 1):
            dropped.add(j if t > 0 else i)
    found = best_set(values)
    assert found.moderated
    assert set(np.flatnonzero(~found.members)) == dropped
    assert 0 < len(dropped) < k - 1


def test_a_batch_of_tables_is_each_table_alone() -> None:
    tables = (
        draws(5).normal(0, 1, (4, MODERATED_FROM, 5))
        + np.linspace(0, 3, MODERATED_FROM)[:, np.newaxis]
    )
    tables[1, 0, 0] = np.nan
    together = best_set(tables)
    for at, table in enumerate(tables):
        alone = best_set(table)
        np.testing.assert_array_equal(together.beats[at], alone.beats)
        np.testing.assert_allclose(together.degrees[at], alone.degrees)


def test_the_prior_is_that_of_the_draws() -> None:
    # s^2 ~ sigma^2 chi2_d / d with d0 s0^2 / sigma^2 ~ chi2_d0: Smyth's model.
    generator = draws(1)
    true = 6 * 2.0 / generator.chisquare(6, 20_000)
    variances = true * generator.chisquare(4, 20_000) / 4
    found = prior(variances, np.full(20_000, 4.0))
    assert float(found.degrees) == pytest.approx(6, rel=0.1)
    assert float(found.variance) == pytest.approx(2, rel=0.05)
    # The moments that define it, written out.
    logs = np.log(variances)
    spread = np.var(logs, ddof=1) - polygamma(1, 2.0)
    assert polygamma(1, float(found.degrees) / 2) == pytest.approx(spread)
    shift = digamma(2.0) - np.log(2.0) - digamma(found.degrees / 2) + np.log(found.degrees / 2)
    assert np.log(found.variance) == pytest.approx(logs.mean() - shift)


def test_equal_variances_are_pooled() -> None:
    variances = np.array([1.0, 1.1, 0.9, 1.05, 0.95])
    found = prior(variances, np.full(5, 4.0))
    assert np.isinf(found.degrees)
    assert float(found.variance) == pytest.approx(1.0)
    shrunk, degrees = found.moderate(variances, np.full(5, 4.0))
    np.testing.assert_allclose(shrunk, 1.0)
    assert np.isinf(degrees).all()
    assert np.isnan(prior(np.zeros(5), np.full(5, 4.0)).variance)


def test_the_moderated_variance_is_the_posterior_one() -> None:
    """1 / E[1 / sigma^2 | s^2] by numerical integration of the scaled inverse chi-square prior."""
    d0, s0, d, s = 5.0, 2.0, 4.0, 7.0

    def weight(precision: float) -> float:
        before = scipy_stats.chi2.pdf(precision * d0 * s0, d0)
        return float(before * precision * scipy_stats.chi2.pdf(d * s * precision, d))

    mass = integrate.quad(weight, 0, np.inf)[0]
    mean = integrate.quad(lambda x: x * weight(x), 0, np.inf)[0] / mass
    found, degrees = Prior(np.array(d0), np.array(s0)).moderate(np.array([s]), np.array([d]))
    assert found[0] == pytest.approx(1 / mean, rel=1e-6)
    assert degrees[0] == d0 + d


def test_trigamma_is_inverted() -> None:
    values = np.geomspace(1e-6, 1e6, 25)
    np.testing.assert_allclose(polygamma(1, trigamma_inverse(values)), values, rtol=1e-9)


@pytest.mark.parametrize(("methods", "seeds", "kept"), [(10, 5, 2.0), (25, 5, 5.4), (25, 10, 3.2)])
def test_each_of_the_truly_best_loses_its_place_in_five_percent_at_most(
    methods: int, seeds: int, kept: float
) -> None:
    """Methods of unequal spread: all equal, then three at the top and a ladder below."""
    generator, tables = draws(methods + seeds), 600
    spread = np.exp(generator.normal(0, 0.5, (tables, methods, 1)))
    shared = generator.normal(0, 0.5, (tables, 1, seeds))
    values = spread * generator.normal(0, 1, (tables, methods, seeds)) + shared
    assert np.mean(~best_set(values).members) < 0.06
    ladder = np.concatenate([np.zeros(3), -np.linspace(0.5, 8, methods - 3)])
    members = best_set(values + ladder[:, np.newaxis]).members
    assert np.mean(~members[:, :3]) < 0.03
    assert np.mean(members[:, 3:].sum(axis=1)) < kept
