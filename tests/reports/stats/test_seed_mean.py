"""Means over fixed conditions: seeds are the unit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from nlbench.reports.stats import (
    SATTERTHWAITE,
    SIGN_FLIP,
    Differences,
    seed_mean,
    sign_flip,
)

DRAWS = np.random.Generator(np.random.Philox(3))
SAME = [Differences(tuple(range(6)), DRAWS.normal(1, 2, 6)) for _ in range(4)]


def test_common_seeds_are_averaged_first_and_then_tested() -> None:
    found = seed_mean(SAME)
    means = np.mean([one.values for one in SAME], axis=0)
    expected = scipy_stats.ttest_1samp(means, 0)
    interval = expected.confidence_interval()
    assert (found.n, found.df, found.test) == (6, 5, "paired t")
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert seed_mean(SAME, SIGN_FLIP).p == pytest.approx(sign_flip(means))


def test_conditions_with_their_own_seeds_are_independent() -> None:
    """With one condition a side, a - b of two means is Welch's test."""
    a, b = DRAWS.normal(1, 1, 5), DRAWS.normal(3, 4, 8)
    found = seed_mean([Differences((0, 1, 2, 3, 4), a), Differences(tuple(range(10, 18)), -b)])
    expected = scipy_stats.ttest_ind(a, b, equal_var=False)
    interval = expected.confidence_interval()
    assert (found.n, found.test) == (5, SATTERTHWAITE)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.df == pytest.approx(expected.df)
    assert found.estimate == pytest.approx((a.mean() - b.mean()) / 2)
    assert (found.low, found.high) == pytest.approx((interval.low / 2, interval.high / 2))


def test_where_a_condition_lacks_seeds_the_mean_is_that_of_the_conditions() -> None:
    longer = Differences(tuple(range(3, 9)), DRAWS.normal(0, 1, 6))
    found = seed_mean([SAME[0], longer])
    mean = (SAME[0].values.mean() + longer.values.mean()) / 2
    assert (found.n, found.test) == (9, SATTERTHWAITE)
    assert found.df == pytest.approx(5)
    # By hand: each residual stretched by sqrt(9 8 / (6 5)), averaged seed by seed.
    residuals = np.zeros((2, 9))
    residuals[0, :6] = SAME[0].values - SAME[0].values.mean()
    residuals[1, 3:] = longer.values - longer.values.mean()
    error = np.sqrt((residuals.sum(axis=0) ** 2).sum() * 72 / 30 / 4 / 8 / 9)
    assert found.estimate == pytest.approx(mean)
    assert found.p == pytest.approx(2 * scipy_stats.t.sf(abs(mean) / error, 5))
    assert found.low == pytest.approx(mean - scipy_stats.t.ppf(0.975, 5) * error)


@pytest.mark.parametrize("n", [3, 5])
def test_missing_seeds_leave_the_error_rate(n: int) -> None:
    draws = np.random.Generator(np.random.Philox(n))
    p = []
    for _ in range(1500):
        values = draws.normal(size=(4, n)) + draws.normal(size=n)
        lost = [draws.integers(2 * n) for _ in values]
        seeds = [[seed for seed in range(n) if seed != out] for out in lost]
        conditions = [
            Differences(tuple(there), row[there]) for row, there in zip(values, seeds, strict=True)
        ]
        p.append(seed_mean(conditions).p or 1.0)
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.062


def test_what_cannot_be_tested_has_no_p() -> None:
    one = [Differences((0,), np.array([1.5])), Differences((1,), np.array([0.5]))]
    assert (seed_mean(one).estimate, seed_mean(one).p) == (1.0, None)
    assert (seed_mean(one[:1]).estimate, seed_mean(one[:1]).p) == (1.5, None)
    assert seed_mean([]).estimate is None
    constant = [Differences((0, 1, 2), np.ones(3)), Differences((3, 4, 5), np.ones(3))]
    assert seed_mean(constant).p == 0.25
    assert seed_mean(constant).low is None
