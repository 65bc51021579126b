"""Collapsed and diverged runs are outcomes: their rates are tested, and the rest is compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from nlbench import reports
from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.engine import Pair, paired_comparisons
from nlbench.reports.compare.results import analyse
from nlbench.reports.read.cells import Cell
from nlbench.reports.read.fields import PAIRING
from nlbench.reports.stats import mcnemar

Make = Callable[..., Any]
GOOD = [90.0, 91.0, 90.5, 92.0, 91.5, 90.2, 91.3, 90.9, 91.8, 90.4]
LOW = [88.1, 89.2, 88.3, 90.4, 89.4, 88.4, 89.1, 88.8, 90.1, 88.3]
CHANCE = 10.3


def collapsed(values: list[float], seeds: range) -> list[float]:
    return [CHANCE if seed in seeds else value for seed, value in enumerate(values)]


def verdict_of(make_study: Make, ce: list[float], gce: list[float]) -> Comparison:
    """Of gce against ce."""
    made = make_study({("ce", "clean"): ce, ("gce", "clean"): gce})
    (verdict,) = analyse(made.study, made.records).verdicts
    assert isinstance(verdict, Comparison)
    return verdict


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (3, 0), (0, 6), (2, 9), (5, 5), (40, 60)])
def test_the_exact_p_of_rates_is_that_of_scipy_and_statsmodels(only_a: int, only_b: int) -> None:
    table = [[7, only_a], [only_b, 11]]
    assert mcnemar(only_a, only_b) == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue)
    if only_a + only_b:
        binomial = scipy_stats.binomtest(only_a, only_a + only_b).pvalue
        assert mcnemar(only_a, only_b) == pytest.approx(binomial)


def test_a_count_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        mcnemar(-1, 2)


def test_a_method_that_collapses_in_three_of_ten_runs_can_be_worse(make_study: Make) -> None:
    verdict = verdict_of(make_study, GOOD, collapsed(LOW, range(3)))
    reference = scipy_stats.ttest_rel(LOW[3:], GOOD[3:])
    assert verdict.words == "worse"
    assert (verdict.n, verdict.expected_n) == (7, 10)
    assert verdict.p == pytest.approx(reference.pvalue)
    assert verdict.estimate == pytest.approx(np.mean(np.subtract(LOW[3:], GOOD[3:])))
    assert "gce is worse than ce on clean by" in verdict.sentence()
    assert (
        "gce collapsed in 3 and ce in 0 of 10 runs (exact McNemar, p = 0.250), so 3 seeds left out"
        in verdict.sentence()
    )


def test_one_collapsed_run_does_not_stop_a_comparison(make_study: Make) -> None:
    verdict = verdict_of(make_study, LOW, collapsed(GOOD, range(1)))
    assert verdict.words == "better"
    assert "so 1 seed left out" in verdict.sentence()


def test_rates_alone_decide_where_nearly_every_run_collapses(make_study: Make) -> None:
    verdict = verdict_of(make_study, GOOD, collapsed(LOW, range(9)))
    assert (verdict.words, verdict.test) == ("worse", "exact McNemar")
    assert verdict.p == pytest.approx(2 / 2**9)
    assert verdict.sentence() == (
        "gce is worse than ce on clean: gce collapsed in 9 and ce in 0 of 10 runs (p_Holm ="
        " 0.004, exact McNemar, declared, gate 1); where neither collapsed, the difference is"
        " \N{MINUS SIGN}2.10 points, n = 1."
    )


def test_the_smaller_of_two_p_is_doubled_where_both_tests_could_decide(make_study: Make) -> None:
    ce = [v + 0.4 * (-1) ** i for i, v in enumerate(LOW)]
    verdict = verdict_of(make_study, ce, collapsed(LOW, range(7)))
    rest = scipy_stats.ttest_rel(LOW[7:], ce[7:]).pvalue
    assert verdict.test == "exact McNemar"
    assert verdict.p == pytest.approx(2 * min(2 / 2**7, rest))
    assert verdict.words == "worse"


def test_with_few_collapsed_runs_the_p_of_the_rest_stands(make_study: Make) -> None:
    verdict = verdict_of(make_study, LOW, collapsed(GOOD, range(5)))
    assert verdict.p == pytest.approx(scipy_stats.ttest_rel(GOOD[5:], LOW[5:]).pvalue)


def test_who_loses_more_seeds_than_it_wins_is_not_called_better(make_study: Make) -> None:
    # Five of ten collapse, five are better: as many won as lost. With four of nine it is not so.
    assert verdict_of(make_study, LOW, collapsed(GOOD, range(5))).words == "better"
    assert verdict_of(make_study, LOW[:9], collapsed(GOOD[:9], range(5))).words == "undecided"


def test_rates_and_rest_that_contradict_each_other_decide_nothing(make_study: Make) -> None:
    ce, gce = [*LOW, *LOW, *LOW], collapsed([*GOOD, *GOOD, *GOOD], range(8))
    verdict = verdict_of(make_study, ce, gce)
    assert verdict.p is not None
    assert verdict.p < 1e-6
    assert verdict.words == "undecided"


def test_with_five_runs_rates_cannot_decide_and_the_sentence_says_so(make_study: Make) -> None:
    verdict = verdict_of(make_study, GOOD[:5], collapsed(LOW[:5], range(4)))
    assert verdict.words == "undecided"
    assert verdict.comparable
    assert "so few runs that differ cannot give less than 0.125" in verdict.sentence()


def test_both_collapsing_at_the_same_seeds_says_nothing_about_rates(make_study: Make) -> None:
    ce, gce = collapsed(LOW, range(3)), collapsed(GOOD, range(3))
    verdict = verdict_of(make_study, ce, gce)
    assert verdict.outcomes is not None
    assert (verdict.outcomes.p, verdict.outcomes.left_out) == (1.0, 3)
    assert verdict.words == "better"


def test_a_diverged_run_is_a_collapsed_one(make_study: Make) -> None:
    made = make_study({("ce", "clean"): GOOD, ("gce", "clean"): LOW})
    made.change("gce", "clean", 2, status="diverged", metrics={}, error={"epoch": 1})
    (verdict,) = analyse(made.study, made.records).verdicts
    assert verdict.outcomes is not None
    assert (verdict.outcomes.a, verdict.n, verdict.words) == (1, 9, "worse")


def test_rates_have_columns_only_where_runs_collapsed(make_study: Make, tmp_path: Path) -> None:
    sound = make_study({("ce", "clean"): GOOD, ("gce", "clean"): LOW})
    reports.build_report(sound.study, sound.records, tmp_path / "sound", only="leaderboard")
    assert "left_out" not in pd.read_csv(tmp_path / "sound/significance.csv").columns
    made = make_study({("ce", "clean"): GOOD, ("gce", "clean"): collapsed(LOW, range(3))})
    reports.build_report(made.study, made.records, tmp_path / "some", only="leaderboard")
    (row,) = pd.read_csv(tmp_path / "some/significance.csv").to_dict("records")
    found = [row[key] for key in ("collapsed_a", "collapsed_b", "left_out", "p_collapsed")]
    assert found == [3, 0, 3, 0.25]


def cell(method: str, values: Any) -> Cell:
    seeds = tuple(range(len(values)))
    prints = tuple((str(seed),) * len(PAIRING) for seed in seeds)
    ids, status = tuple(map(str, seeds)), ("ok",) * len(seeds)
    return Cell(method, "clean", seeds, np.asarray(values), status, ids, prints, 10)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_equal_methods_with_collapses_are_called_different_in_at_most_five_percent(
    share: float,
) -> None:
    draws, wrong, repeats = np.random.default_rng(5), 0, 1000
    for _ in range(repeats):
        values = 80 + draws.normal(0, 1, (2, 10))
        values[draws.random((2, 10)) < share] = CHANCE
        pair = Pair(cell("gce", values[0]), cell("ce", values[1]))
        (found,) = paired_comparisons([pair], family="one")
        wrong += found.words in ("better", "worse")
    # 5 % of 1,000 are 50; more than 66 would come up in 1 % of such simulations.
    assert wrong <= 66
