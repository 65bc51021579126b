"""Rank and Bayesian statistics against scikit-posthocs and baycomp, and against simulation.

baycomp 1.0.3 is not maintained, but works with NumPy 2: its numbers are drawn by NumPy's global
generator, so they are compared within sampling error. scikit-posthocs 0.17 works with pandas 3.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from nlbench.reports.stats import (
    holm,
    minimum_detectable_effect,
    paired_t,
    seeds_needed,
    sign_flips,
    signed_rank,
    signed_rank_rope,
    student_rope,
)

Floats = NDArray[np.float64]


def draws(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


@pytest.fixture(name="posthocs")
def _posthocs() -> Any:
    return pytest.importorskip("scikit_posthocs", reason="scikit-posthocs: pip install '.[dev]'")


@pytest.fixture(name="baycomp")
def _baycomp() -> Any:
    return pytest.importorskip("baycomp", reason="baycomp: pip install '.[dev]'")


@pytest.mark.parametrize("seed", range(4))
def test_pairwise_wilcoxon_with_holm_is_scikit_posthocs(posthocs: Any, seed: int) -> None:
    table = draws(seed).normal([0, 0.6, 0.9, 0.1], 1, (14, 4))
    long = pd.DataFrame(table).melt(var_name="method", value_name="value")
    theirs = posthocs.posthoc_wilcoxon(
        long, val_col="value", group_col="method", p_adjust="holm"
    ).to_numpy()
    pairs = list(combinations(range(4), 2))
    raw = [signed_rank(table[:, i] - table[:, j]).p for i, j in pairs]
    mine = holm(np.array(raw, dtype=np.float64))
    np.testing.assert_allclose(mine, [theirs[i, j] for i, j in pairs], rtol=1e-9)


@pytest.mark.parametrize("shift", [-0.6, 0.1, 0.8])
def test_bayesian_signed_rank_is_baycomps(baycomp: Any, shift: float) -> None:
    a, b = draws(1).normal(0, 1, (2, 16))
    theirs = baycomp.two_on_multiple(a, a + b + shift, rope=0.5, nsamples=20_000)
    mine = signed_rank_rope(b + shift, 0.5)
    assert mine is not None
    # baycomp: (first better, equal, second better), first = without the shift
    np.testing.assert_allclose([mine.worse, mine.equal, mine.better], theirs, atol=0.025)


def test_student_posterior_is_baycomps_without_its_widening_for_folds(baycomp: Any) -> None:
    """baycomp widens by 1/n + 1/(n - 1) for the overlap of folds; with runs = 1 and the variance
    shrunk by the same factor it must give the posterior of independent seeds."""
    n, rope = 6, 0.3
    differences = draws(2).normal(0.4, 0.5, n)
    widened = np.sqrt((1 / n + 1 / (n - 1)) * n)
    centred = differences.mean() + (differences - differences.mean()) / widened
    theirs = baycomp.two_on_single(np.zeros(n), centred, rope=rope)
    mine = student_rope(differences, rope)
    assert mine is not None
    np.testing.assert_allclose([mine.worse, mine.equal, mine.better], theirs, atol=1e-9)


def test_sign_flip_and_signed_rank_hold_their_level() -> None:
    """Exact tests of eight equal pairs: at most 5 % below .05, and not far less than they can."""
    samples = list(draws(3).standard_t(3, (2500, 8)))
    flips = np.array(sign_flips(samples))
    ranks = np.array([signed_rank(row).p for row in samples], dtype=np.float64)
    for p in (flips, ranks):
        assert 0.03 < np.mean(p < 0.05) < 0.06
    t = np.array([paired_t(row, np.zeros(8)).p for row in draws(4).normal(0, 1, (2500, 8))])
    assert np.mean(t.astype(np.float64) < 0.05) == pytest.approx(0.05, abs=0.014)


def test_posterior_within_the_region_is_calibrated() -> None:
    """Under its own flat prior the share of true effects inside the region is the posterior's."""
    generator = draws(6)
    said, true = [], []
    for _ in range(3000):
        effect = generator.uniform(-3, 3)
        found = student_rope(generator.normal(effect, 1, 5), 0.5)
        assert found is not None
        said.append(found.equal)
        true.append(abs(effect) <= 0.5)
    assert np.mean(true) == pytest.approx(np.mean(said), abs=0.012)


def test_seeds_needed_find_the_difference_as_often_as_promised() -> None:
    n, effect = seeds_needed(1.2), 1.2
    assert n is not None
    samples = draws(8).normal(effect, 1, (4000, n))
    t = samples.mean(1) / (samples.std(1, ddof=1) / np.sqrt(n))
    found = np.mean(np.abs(t) > scipy_stats.t.ppf(0.975, n - 1))
    assert found >= 0.8 - 0.02
    smallest = minimum_detectable_effect(n)
    assert smallest is not None
    assert smallest <= effect
