"""Summaries over conditions against SciPy and statsmodels; the coverage of their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats as scipy_stats
from scipy.special import ndtr
from statsmodels.stats.proportion import proportion_confint

from nlbench.reports.stats import improvement, interquartile_mean, mean_rank, mean_ranks, wilson

Floats = NDArray[np.float64]


def draws(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def strata(seed: int, conditions: int = 4, seeds: int = 5) -> list[Floats]:
    """Three methods, the second a point better, seeds sharing luck."""
    generator = draws(seed)
    luck = generator.normal(0, 1, (conditions, 1, seeds))
    own = generator.normal(0, 0.8, (conditions, 3, seeds))
    return list(80 + luck + own + np.array([0.0, 1.0, 0.2])[:, np.newaxis])


def test_values_are_the_plain_statistics() -> None:
    data = strata(1)
    pooled = np.concatenate(data, axis=1)
    np.testing.assert_allclose(
        interquartile_mean(data), scipy_stats.trim_mean(pooled, 0.25, axis=1)
    )
    expected = mean_ranks(np.array([s.mean(axis=1) for s in data]))
    np.testing.assert_allclose(mean_rank(data), expected)
    for shared in (True, False):
        chance = improvement(data, shared)[1][0].value
        assert chance == pytest.approx(np.mean([s[1] > s[0] for s in data]))
        assert improvement(data, shared)[0][0].value == 0.5


@pytest.mark.parametrize("count", [0, 3, 11, 20])
def test_wilson_is_statsmodels(count: int) -> None:
    low, high = wilson(np.array(count / 20), np.array(20.0))
    theirs = proportion_confint(count, 20, method="wilson")
    np.testing.assert_allclose((low, high), theirs, atol=1e-12)


def test_a_method_that_wins_every_pair_has_an_interval_with_a_width() -> None:
    luck = draws(3).normal(0, 10, (4, 5))
    data = [np.stack([row, row + 0.1]) for row in luck]
    found = improvement(data, shared=True)[1][0]
    assert found.value == 1.0
    assert found.high == pytest.approx(1.0)
    # Seeds that agree are conditions x seeds runs, less what few seeds know about their spread.
    paid = (scipy_stats.norm.ppf(0.975) / scipy_stats.t.ppf(0.975, 4)) ** 2
    assert found.low == pytest.approx(proportion_confint(20 * paid, 20 * paid, method="wilson")[0])


def test_seeds_of_their_own_are_runs_and_one_seed_has_no_interval() -> None:
    data = strata(1)
    found = improvement(data, shared=False)[1][0]
    count = found.value * 20
    theirs = proportion_confint(count, 20, method="wilson")
    assert (found.low, found.high) == pytest.approx(theirs)
    alone = improvement(strata(1, 3, 1), shared=True)[1][0]
    assert (alone.low, alone.high) == (None, None)


@pytest.mark.parametrize("correlation", [0.0, 0.3])
@pytest.mark.parametrize(("conditions", "seeds"), [(6, 3), (6, 5), (17, 5), (6, 10)])
def test_the_interval_of_a_share_of_wins_covers(
    conditions: int, seeds: int, correlation: float
) -> None:
    """Not less than 95 %: it is wider where conditions differ in who wins."""
    generator, tables = draws(conditions * seeds), 400
    shift = np.linspace(0.1, 0.5, conditions)[:, np.newaxis]
    true = float(ndtr(shift).mean())
    # Tables side by side as methods, each against the zeros of the first.
    common = generator.normal(0, correlation**0.5, (1, tables, seeds))
    own = generator.normal(0, (1 - correlation) ** 0.5, (conditions, tables, seeds))
    hits = []
    for at in range(tables):
        gaps = shift + common[0, at] + own[:, at]
        found = improvement([np.stack([0 * g, g]) for g in gaps], shared=True)[1][0]
        hits.append((found.low or 0.0) <= true <= (found.high or 1.0))
    assert np.mean(hits) > 0.93
