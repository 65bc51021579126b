"""Tests of significance: every entry of the registry, each against SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from nlbench.reports.errors import ReportError
from nlbench.reports.stats import TESTS, paired_tests, significance_test

Floats = NDArray[np.float64]


def _permuted(d: Floats) -> Any:
    return scipy_stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=2**12
    )


THEIRS: dict[str, Callable[[Floats], Any]] = {
    "paired t": lambda d: scipy_stats.ttest_1samp(d, 0),
    "sign flip": _permuted,
    "Wilcoxon": lambda d: scipy_stats.wilcoxon(d, method="exact"),
}


def test_every_entry_has_a_reference_here() -> None:
    assert set(THEIRS) == set(TESTS)


@pytest.mark.parametrize("n", [2, 5, 6, 10])
@pytest.mark.parametrize("name", THEIRS)
def test_p_is_scipys(name: str, n: int) -> None:
    draws = np.random.Generator(np.random.Philox(n))
    pairs = [(draws.normal(0.7, 1, n), draws.normal(0, 1, n)) for _ in range(4)]
    found = paired_tests(pairs, TESTS[name])
    for (a, b), mine in zip(pairs, found, strict=True):
        assert mine.test == name
        assert mine.p == pytest.approx(float(THEIRS[name](a - b).pvalue), rel=1e-9)
        # What describes the differences does not depend on what decides.
        assert mine.estimate == pytest.approx(float((a - b).mean()))
        assert mine.t == pytest.approx(float(scipy_stats.ttest_rel(a, b).statistic))


@settings(max_examples=50, deadline=None)
@given(arrays(np.float64, 6, elements=st.floats(-50, 50, width=16)))
def test_no_p_is_below_the_smallest_that_is_said_to_be_possible(differences: Floats) -> None:
    for name, test in TESTS.items():
        (found,) = paired_tests([(differences, np.zeros(6))], test)
        assert found.p is not None, name
        assert test.smallest(6) - 1e-12 <= found.p <= 1


@pytest.mark.parametrize("name", TESTS)
def test_differences_without_spread_have_the_exact_p_whatever_decides(name: str) -> None:
    zero = np.zeros(5)
    same, constant = paired_tests([(zero, zero), (zero + 0.25, zero)], TESTS[name])
    assert (same.test, same.p) == ("identical", 1.0)
    assert (constant.test, constant.p) == ("exact sign-flip", 0.0625)


def test_rounding_breaks_no_tie_of_ranks() -> None:
    a, b = np.array([0.3, 91.3, 0.3, 5.3, 7.5, 9.9]), np.array([0.2, 91.2, 0.2, 5.4, 7.3, 9.6])
    differences = (a - b).round(9)
    ranks = scipy_stats.rankdata(np.abs(differences))
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1)
    expected = np.mean(np.abs(ranks @ signs) >= abs(ranks @ np.sign(differences)) - 1e-9)
    assert paired_tests([(a, b)], TESTS["Wilcoxon"])[0].p == pytest.approx(float(expected))


def test_an_unknown_test_is_named_with_those_there_are() -> None:
    with pytest.raises(ReportError, match=r"'paired-t'; did you mean 'paired t'\?.*Wilcoxon"):
        significance_test("paired-t", "suite mine")
