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


def test_overlapping_seeds_are_no_independent_groups() -> None:
    longer = Differences(tuple(range(3, 9)), DRAWS.normal(0, 1, 6))
    found = seed_mean([SAME[0], longer])
    expected = scipy_stats.ttest_1samp((SAME[0].values[3:] + longer.values[:3]) / 2, 0)
    assert found.n == 3
    assert found.p == pytest.approx(expected.pvalue)


def test_what_cannot_be_tested_has_no_p() -> None:
    one = [Differences((0,), np.array([1.5])), Differences((1,), np.array([0.5]))]
    assert (seed_mean(one).estimate, seed_mean(one).p) == (1.0, None)
    assert (seed_mean(one[:1]).estimate, seed_mean(one[:1]).p) == (1.5, None)
    assert seed_mean([]).estimate is None
    constant = [Differences((0, 1, 2), np.ones(3)), Differences((3, 4, 5), np.ones(3))]
    assert seed_mean(constant).p == 0.25
    assert seed_mean(constant).low is None
