"""Statistics across conditions, equivalence."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from nlbench import reports
from nlbench.reports.compare.results import analyse
from nlbench.reports.stats import (
    friedman,
    mean_ranks,
    performance_profile,
    signed_rank,
    signed_rank_rope,
    student_rope,
)

Make = Callable[..., Any]
Floats = NDArray[np.float64]


def draws(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


@pytest.mark.parametrize("n", [6, 9, 14, 25])
def test_signed_rank_agrees_with_scipy(n: int) -> None:
    differences = draws(n).normal(0.4, 1, n)
    theirs = scipy_stats.wilcoxon(differences, method="exact" if n <= 18 else "approx")
    assert signed_rank(differences).p == pytest.approx(float(theirs.pvalue), rel=1e-10)


def test_signed_rank_with_ties_is_exact() -> None:
    differences = np.array([1.0, 1.0, 2.0, -1.0, 3.0, 2.0, 0.0])
    kept = differences[differences != 0]
    ranks = scipy_stats.rankdata(np.abs(kept))
    sums = [abs(np.dot(ranks, signs)) for signs in product((-1, 1), repeat=len(kept))]
    expected = np.mean(np.array(sums) >= abs(np.dot(ranks, np.sign(kept))) - 1e-9)
    found = signed_rank(differences)
    assert found.n == 6
    assert found.p == pytest.approx(expected)


def test_below_six_differences_there_is_a_floor_and_no_p() -> None:
    found = signed_rank(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert (found.n, found.p, found.floor) == (5, None, 0.0625)
    assert signed_rank(np.zeros(4)).floor == 1.0


@pytest.mark.parametrize("seed", range(4))
def test_friedman_is_scipys_statistic_with_iman_davenports_f(seed: int) -> None:
    table = draws(seed).normal(0, 1, (8, 4)).round(1)
    found = friedman(table)
    assert found is not None
    chi2 = float(scipy_stats.friedmanchisquare(*table.T).statistic)
    assert found.chi2 == pytest.approx(chi2, rel=1e-10)
    f = 7 * chi2 / (8 * 3 - chi2)
    assert found.f == pytest.approx(f, rel=1e-10)
    assert found.p == pytest.approx(scipy_stats.f.sf(f, 3, 21), rel=1e-10)


def test_friedman_never_claims_more_than_perfect_agreement_can() -> None:
    """Three methods, five conditions, always the same order: exactly 6 of 6^5 arrangements."""
    table = np.tile([1.0, 2.0, 3.0], (5, 1))
    orders = list(permutations(range(3)))
    same = sum(len(set(picked)) == 1 for picked in product(orders, repeat=5))
    found = friedman(table)
    assert found is not None
    assert found.p == pytest.approx(same / len(orders) ** 5)
    assert found.p == pytest.approx(0.0008, abs=5e-5)


def test_friedman_needs_three_methods_two_conditions_and_a_difference() -> None:
    assert friedman(np.ones((4, 2))) is None
    assert friedman(np.array([[1.0, 2.0, 3.0]])) is None
    assert friedman(np.ones((4, 3))) is None


def test_friedman_false_positives() -> None:
    tables = draws(5).normal(0, 1, (1000, 6, 3))
    p = [found.p for table in tables if (found := friedman(table)) is not None]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.02)


def test_mean_ranks_share_ties() -> None:
    table = np.array([[3.0, 1.0, 2.0], [2.0, 2.0, 1.0]])
    np.testing.assert_allclose(mean_ranks(table), [1.25, 2.25, 2.5])


def strata(seed: int, conditions: int = 4, seeds: int = 5) -> list[Floats]:
    """Three methods, the second a point better, seeds sharing luck."""
    generator = draws(seed)
    luck = generator.normal(0, 1, (conditions, 1, seeds))
    own = generator.normal(0, 0.3, (conditions, 3, seeds))
    return list(80 + luck + own + np.array([0.0, 1.0, 0.2])[:, np.newaxis])


@given(
    strata=st.lists(
        st.lists(st.integers(0, 9).map(float), min_size=1, max_size=6), min_size=1, max_size=5
    )
)
def test_performance_profile_is_the_mean_over_conditions_of_the_share_that_reaches(
    strata: list[list[float]],
) -> None:
    values, share = performance_profile([np.array(runs) for runs in strata])
    assert len(share) == len(values) + 1
    for tau in np.arange(-0.5, 10, 0.5):
        by_hand = np.mean([np.mean([value >= tau for value in runs]) for runs in strata])
        assert share[np.searchsorted(values, tau)] == pytest.approx(by_hand)


def test_with_equal_conditions_it_is_scipys_survival_function() -> None:
    runs = draws(3).normal(80, 5, (4, 5))
    values, share = performance_profile(list(runs))
    theirs = scipy_stats.ecdf(runs.ravel()).sf
    np.testing.assert_allclose(share[1:], theirs.probabilities, atol=1e-12)
    np.testing.assert_allclose(values, theirs.quantiles)


def test_student_posterior_is_the_t_distribution() -> None:
    differences = np.array([0.2, 0.9, 0.4, 1.1, 0.6])
    found = student_rope(differences, 0.5)
    assert found is not None
    posterior = scipy_stats.t(4, differences.mean(), differences.std(ddof=1) / np.sqrt(5))
    assert found.better == pytest.approx(posterior.sf(0.5), rel=1e-10)
    assert found.worse == pytest.approx(posterior.cdf(-0.5), rel=1e-10)
    assert found.worse + found.equal + found.better == pytest.approx(1)
    assert student_rope(np.ones(5), 0.5) is None
    assert student_rope(np.ones(1), 0.5) is None


def test_bayesian_signed_rank_is_its_definition() -> None:
    differences, rope = np.array([0.4, 1.2, -0.3, 0.8, 2.0, 0.1]), 0.5
    found = signed_rank_rope(differences, rope)
    assert found is not None
    z = np.concatenate([[0.0], differences])
    generator = draws(11)
    shares = np.zeros(3)
    for weights in generator.dirichlet([0.6] + [1.0] * 6, 3000):
        mass = np.zeros(3)
        for (i, a), (j, b) in product(enumerate(z), enumerate(z)):
            kind = 2 if a + b > 2 * rope else 0 if a + b < -2 * rope else 1
            mass[kind] += weights[i] * weights[j]
        shares[np.argmax(mass)] += 1 / 3000
    np.testing.assert_allclose([found.worse, found.equal, found.better], shares, atol=0.03)


def test_bayesian_signed_rank_limits() -> None:
    clear = signed_rank_rope(np.full(15, 5.0), 0.5)
    same = signed_rank_rope(np.full(15, 0.01), 0.5)
    assert clear is not None
    assert same is not None
    assert clear.better > 0.999
    assert same.equal > 0.999
    assert signed_rank_rope(np.empty(0), 0.5) is None


CONDITIONS = ("clean", *(f"symmetric:{r}" for r in (0.2, 0.4, 0.6)), "pair:0.2", "pair:0.4")


def several(make_study: Make, methods: int = 3) -> Any:
    values = {}
    for at, line in enumerate(CONDITIONS):
        rows = strata(at, 1)[0] - 3 * at
        for method, row in zip(("ce", "gce", "sce")[:methods], rows, strict=False):
            values[method, line] = [float(v) for v in row]
    return make_study(values)


def test_overall_by_hand(make_study: Make) -> None:
    made = several(make_study)
    results = analyse(made.study, made.records)
    (whole,) = results.overall
    scores = np.array(
        [[results.blocks[0].cells[m, line].summary.mean for line in CONDITIONS]
         for m in ("ce", "gce", "sce")],
        dtype=np.float64,
    )  # fmt: skip
    pair = whole.pairs[0]
    differences = scores[1] - scores[0]
    assert (pair.a, pair.b) == ("gce", "ce")
    assert (pair.higher, pair.ties, pair.lower) == (
        int((differences > 0).sum()), 0, int((differences < 0).sum())
    )  # fmt: skip
    assert pair.signed_rank.p == pytest.approx(float(scipy_stats.wilcoxon(differences).pvalue))
    by_seed = np.mean(
        [[results.blocks[0].cells[m, line].values for line in CONDITIONS] for m in ("gce", "ce")],
        axis=1,
    )
    expected = scipy_stats.ttest_rel(*by_seed)
    assert pair.difference.estimate == pytest.approx(differences.mean())
    assert pair.difference.p == pytest.approx(expected.pvalue)
    assert pair.difference.low == pytest.approx(expected.confidence_interval().low)
    assert [p.role for p in whole.pairs] == ["declared", "declared", "exploratory"]
    assert whole.friedman is not None
    assert whole.friedman.blocks == 6
    assert whole.methods[0].worst == pytest.approx(scores[0].min())
    decided = [v for v in results.verdicts if (v.a, v.b) == ("gce", "ce")]
    assert pair.better == sum(v.words == "better" for v in decided)


def test_incomplete_conditions_are_left_out_and_named(make_study: Make, tmp_path: Path) -> None:
    made = several(make_study)
    made.records = [
        r for r in made.records if (r.spec.noise, r.spec.method.name) != ("pair:0.4", "sce")
    ]
    results = analyse(made.study, made.records)
    (whole,) = results.overall
    assert whole.left_out == ("pair 0.4",)
    assert len(whole.conditions) == 5
    assert all(pair.p_conditions is None for pair in whole.pairs)
    assert {pair.general for pair in whole.pairs} == {"cannot be decided"}
    assert all(pair.p_holm is not None for pair in whole.pairs)
    reports.build_report(made.study, made.records, tmp_path, only="tables")
    shown = (tmp_path / "overall.md").read_text()
    assert "none below 0.0625 with n = 5" in shown
    assert "gce against ce cannot be decided with 5 conditions: no p_Holm below" in shown
    assert "Left out because a cell is incomplete: pair 0.4." in shown


def test_two_methods_have_no_omnibus(make_study: Make) -> None:
    made = several(make_study, methods=2)
    (whole,) = analyse(made.study, made.records).overall
    assert whole.friedman is None
    assert len(whole.pairs) == 1


def test_groups_hold_what_no_pair_test_tells_apart(make_study: Make) -> None:
    made = several(make_study)
    (whole,) = analyse(made.study, made.records).overall
    undecided = {frozenset((p.a, p.b)) for p in whole.pairs if p.words == "undecided"}
    together = {frozenset(pair) for group in whole.groups for pair in permutations(group, 2)}
    assert together == undecided


def test_seeds_needed_for_the_declared_region(make_study: Make) -> None:
    b = [88.1, 89.2, 88.3, 90.4, 89.4]
    values = {("ce", "clean"): b, ("gce", "clean"): [90.0, 91.0, 90.5, 92.0, 91.5]}
    made = make_study(values, planned_sd=0.239)
    verdict = analyse(made.study, made.records).verdicts[0]
    # 0.5 points at SD 0.239 is 2.09 SDs: five seeds have power .93, four .78
    assert verdict.seeds_needed == 5
    unplanned = make_study(values)
    (same,) = analyse(unplanned.study, unplanned.records).verdicts
    assert same.seeds_needed is same.mde is None
    assert verdict.rope is not None
    assert verdict.rope.better > 0.99


def test_leaderboard_rows_over_all_conditions(make_study: Make, tmp_path: Path) -> None:
    made = several(make_study)
    results = analyse(made.study, made.records)
    (whole,) = results.overall
    table = reports.build_report(made.study, made.records, tmp_path, only="leaderboard").leaderboard
    rows = table[table["scope"] == "overall"].set_index("method")
    for at, method in enumerate(("ce", "gce", "sce")):
        row, scores = rows.loc[method], whole.scores[at]
        assert row["mean"] == pytest.approx(scores.mean(), abs=1e-6)
        assert row["sd"] == pytest.approx(scores.std(ddof=1), abs=1e-6)
        assert (row["n"], row["expected_n"], row["accuracy_rule"]) == (6, 6, "last")
        assert row["min"] <= row["ci_low"] <= row["mean"] <= row["ci_high"] <= row["max"]
        assert row["commit"].startswith("0123456789abcdef")
        assert row["suite_sha256"] == made.study.sha256
    best = str(rows["mean"].astype(float).idxmax())
    assert rows["tie_group"][best] == 1
    means = np.mean(whole.runs, axis=0)
    for at, method in enumerate(("ce", "gce", "sce")):
        p = [scipy_stats.ttest_rel(m, means[at], alternative="greater").pvalue for m in means]
        beaten = any(one < 0.05 / 2 for one in p)
        assert rows["in_best_set"][method] == (not beaten) == (rows["tie_group"][method] == 1)
