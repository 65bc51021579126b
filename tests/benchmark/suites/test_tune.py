"""Tuning: equal budgets, the choice by noisy validation, and the suite that is written."""

from __future__ import annotations

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.suites.settle import settle
from tests.helpers.tuning import GOOD, parse, records


def test_every_method_gets_the_same_budget_on_the_tuning_seeds() -> None:
    tuning = parse()
    assert {spec.seed for spec in tuning.specs} == {7, 8, 9}
    for method in ("ce", "gce", "drainage", "coteaching"):
        runs = [s for s in tuning.specs if s.method.name == method]
        assert len(runs) == 4 * 3 * 2
        assert len({(s.method, s.recipe) for s in runs}) == 4
    first = next(s for s in tuning.specs if s.method.name == "gce")
    assert (first.method.values, first.recipe.lr) == ({"q": 0.7}, 0.01)


@pytest.mark.parametrize("best", [0, 2])
def test_the_written_suite_runs_the_best_on_noisy_validation(best: int) -> None:
    tuning = parse()
    settled = parse(settle(tuning, records(tuning, best)))
    assert {s.profile for s in settled.specs} == {"tuned"}
    assert {s.seed for s in settled.specs} == {0, 1}
    assert len(settled.specs) == 2 * 2 * 4
    for spec in settled.specs:
        tried = [
            s for s in tuning.specs if (s.noise, s.method.name) == (spec.noise, spec.method.name)
        ]
        want = tried[best]  # of the first seed, in order
        assert (spec.method, spec.recipe, spec.dataset) == (want.method, want.recipe, want.dataset)


def test_the_written_suite_says_how_it_was_chosen() -> None:
    tuning = parse()
    text = settle(tuning, records(tuning, 2))
    assert "# 66.67 % on held-out labels, best of 4; untuned 50.00 %" in text
    assert "4 tried for every method, learning rate among them, on seeds 7, 8, 9" in text


def test_the_written_suite_keeps_the_hypotheses() -> None:
    declared = GOOD + '\n[[hypothesis]]\na = "gce"\nb = "ce"\nwhere = "symmetric"\n'
    tuning = parse(declared)
    assert parse(settle(tuning, records(tuning, 0))).hypotheses == tuning.hypotheses
    assert len(tuning.hypotheses) == 1


def test_the_written_suite_keeps_what_its_report_is_to_do() -> None:
    table = '\n[report]\nmetrics = ["ece", "nll"]\ntest = "Wilcoxon"\nplanned_sd = 0.5\n'
    tuning = parse(GOOD + table)
    text = settle(tuning, records(tuning, 0))
    assert parse(text).report == tuning.report
    assert tuning.report.metrics == ("ece", "nll")
    assert "rule" not in text.partition("[report]")[2].partition("[[parts]]")[0]  # its default
    assert "[report]" not in settle(parse(), records(parse(), 0))


def test_a_missing_run_is_no_choice() -> None:
    tuning = parse()
    with pytest.raises(UserError, match="1 of its 96 runs have no record"):
        settle(tuning, records(tuning, 0, skip=1))


def test_a_suite_without_the_table_has_nothing_to_choose() -> None:
    with pytest.raises(UserError, match=r"no table \[tune\]"):
        settle(parse(GOOD[: GOOD.index("[tune]")]), [])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("holdout = 0.1", "", "tune needs held-out labels"),
        ("budget = 4", "budget = 1", "budget = 1 should be a number from 2 on"),
        ("budget = 4", "budget = 10", "'ce': a budget of 10 must be from 1 to 9"),
        ("seeds = [7, 8, 9]", "seeds = 3", "seeds = 3 should be a list"),
        ("seeds = [7, 8, 9]", 'seeds = [7]\nrule = "oracle"', "oracle"),
        ("seeds = 2", 'seeds = 2\nprofile = "official"', "under profile 'matched' only"),
    ],
)
def test_mistakes_are_named(old: str, new: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        parse(GOOD.replace(old, new))
