from __future__ import annotations

import math
from decimal import Decimal, localcontext
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nlbench.noise import truncnorm
from nlbench.noise.portable import exp_nonpositive, normal_table, normals
from nlbench.noise.rng import generator, raw


@settings(deadline=None)
@given(st.floats(-700, 0))
def test_exp_is_exact_to_a_few_last_bits(x: float) -> None:
    with localcontext() as context:
        context.prec = 40
        truth = float(Decimal(x).exp())
    assert math.isclose(float(exp_nonpositive(np.array([x]))[0]), truth, rel_tol=1e-15)


def test_exp_ends() -> None:
    assert exp_nonpositive(np.array([0.0, -1e300, -np.inf, -701.0])).tolist() == [1, 0, 0, 0]


def test_normal_table_does_not_depend_on_last_bits() -> None:
    # an independent quantile function, and no entry near a rounding boundary
    exact = np.array([NormalDist().inv_cdf((i + 0.5) / 65536) * 4096 for i in range(65536)])
    rounded = np.rint(exact)
    assert np.array_equal(normal_table(), rounded)
    margin = 0.5 - np.abs(exact - rounded)
    assert float(margin.min()) > 1e-8


def test_normal_table_is_standard_normal() -> None:
    values = normal_table() / 4096.0
    assert values.mean() == 0
    assert abs(values.var() - 1) < 2e-4
    assert stats.kstest(values, "norm").statistic < 2e-4
    assert abs(float(np.mean(values**4)) - 3) < 5e-3


def test_normals_use_four_numbers_of_each_word() -> None:
    words = np.array([0x0003_0002_0001_0000], dtype=np.uint64)
    assert np.array_equal(normals(words, 3), normal_table()[:3])
    drawn = normals(raw(generator("n"), 25_000), 100_000) / 4096.0
    assert stats.kstest(drawn, "norm").pvalue > 1e-4


@pytest.mark.parametrize("centre", [-20.0, -3.0, -0.2, 0.0, 0.05, 0.1, 0.4, 0.5, 0.7, 1.1, 4.0])
def test_truncated_normal_against_scipy(centre: float) -> None:
    law = stats.truncnorm(-centre / 0.1, (1 - centre) / 0.1, loc=centre, scale=0.1)
    uniform = np.linspace(0.001, 0.999, 41)
    if abs(centre - 0.5) < 4:  # beyond, SciPy's own quantiles lose digits
        assert np.allclose(truncnorm.quantile(uniform, centre), law.ppf(uniform), atol=1e-9)
        assert math.isclose(truncnorm.mean(centre), law.mean(), rel_tol=1e-7)
    ends = truncnorm.quantile(np.array([0.0, 1 - 2.0**-53]), centre)
    assert 0 <= ends[0] <= ends[1] <= 1
    grid = (np.arange(200_000) + 0.5) / 200_000
    assert math.isclose(
        truncnorm.quantile(grid, centre).mean(), truncnorm.mean(centre), rel_tol=1e-4
    )


@pytest.mark.parametrize(("rate", "biased"), [(0.05, 0.1009), (0.1, 0.1288), (0.2, 0.2055)])
def test_truncation_bias_is_the_known_one(rate: float, biased: float) -> None:
    assert abs(truncnorm.mean(rate) - biased) < 6e-5


@settings(deadline=None)
@given(st.floats(1e-3, 1 - 1e-3))
def test_centre_gives_the_mean_asked_for(rate: float) -> None:
    assert math.isclose(
        truncnorm.mean(truncnorm.centre_for_mean(rate)), rate, rel_tol=1e-12, abs_tol=1e-13
    )


@settings(deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.floats(1e-3, 0.99), st.floats(0, 0.009))
def test_quantiles_rise_with_the_rate(uniform: float, rate: float, more: float) -> None:
    low, high = (
        truncnorm.quantile(np.array([uniform]), truncnorm.centre_for_mean(r))[0]
        for r in (rate, rate + more)
    )
    assert high >= low - 1e-11
