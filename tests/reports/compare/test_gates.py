"""Declared comparisons: from the mean over all conditions down to single ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from nlbench import reports
from nlbench.benchmark.spec.hypothesis import Hypothesis
from nlbench.reports.compare.gate import Gate
from nlbench.reports.compare.results import Results, analyse

Make = Callable[..., Any]
LINES = ("clean", "symmetric:0.2", "symmetric:0.4", "asymmetric:0.4:map=block5")
CE = np.array([80.0, 81.0, 79.5, 80.5, 82.0])
WIGGLE = np.array([0.2, -0.1, 0.3, -0.3, 0.1])


def values(**shifts: dict[str, float]) -> dict[tuple[str, str], list[float]]:
    """CE, and methods that differ from it by so many points in each condition."""
    found = {("ce", line): (CE - 3 * at).tolist() for at, line in enumerate(LINES)}
    for row, (method, by_line) in enumerate(shifts.items()):
        for at, line in enumerate(LINES):
            noise = np.roll(WIGGLE, at + 2 * row)
            found[method, line] = (CE - 3 * at + by_line.get(line, 0.0) + noise).tolist()
    return found


EVERYWHERE = dict.fromkeys(LINES, 2.0)


def gates_of(results: Results, a: str, b: str = "ce") -> dict[str, Gate]:
    return {gate.where: gate for gate in results.gates if (gate.a, gate.b) == (a, b)}


def test_the_first_gate_is_the_paired_test_over_seeds_of_the_mean_over_conditions(
    make_study: Make,
) -> None:
    made = make_study(values(gce=EVERYWHERE, sce={}))
    results = analyse(made.study, made.records)
    assert results.claims == 2
    cells = results.blocks[0].cells
    means = [np.mean([cells[m, line].values for line in LINES], axis=0) for m in ("gce", "ce")]
    expected = scipy_stats.ttest_rel(*means)
    first = next(iter(gates_of(results, "gce").values()))
    assert (first.depth, first.level, first.words) == (1, "all conditions", "better")
    assert first.mean.p == pytest.approx(expected.pvalue)
    assert first.p_holm == pytest.approx(2 * expected.pvalue)
    assert first.sentence().startswith(
        "gce beats ce on average over all 4 conditions by 2.04 points ["
    )
    assert first.sentence().endswith("paired t over 5 seeds (gate 1).")


def test_gates_follow_noise_types_and_conditions(make_study: Make) -> None:
    made = make_study(values(gce=EVERYWHERE))
    found = gates_of(analyse(made.study, made.records), "gce")
    assert {where: (gate.depth, gate.level) for where, gate in found.items()} == {
        "average over all 4 conditions": (1, "all conditions"),
        "clean": (2, "condition"),
        "average over symmetric (2 rates)": (2, "noise type"),
        "symmetric 0.2": (3, "condition"),
        "symmetric 0.4": (3, "condition"),
        "asymmetric 0.4 (map=block5)": (2, "condition"),
    }


def test_nothing_is_decided_below_a_gate_that_is_not(make_study: Make) -> None:
    """+6 and -6 points cancel out: each alone is clear, the mean over all conditions is not."""
    made = make_study(values(gce={"clean": 6.0, LINES[3]: -6.0}))
    results = analyse(made.study, made.records)
    found = gates_of(results, "gce")
    first, clean = found["average over all 4 conditions"], found["clean"]
    assert (first.words, first.closed_by) == ("undecided", "")
    assert clean.mean.p is not None
    assert clean.mean.p < 1e-4
    assert (clean.words, clean.stands_at) == ("undecided", 1)
    verdict = next(v for v in results.verdicts if v.condition == "clean")
    assert (verdict.words, verdict.gate, verdict.role) == ("undecided", 1, "declared")
    assert verdict.sentence().endswith(
        "no verdict, because the average over all 4 conditions comes first and is undecided"
        " (gate 1)."
    )


def test_the_verdict_of_a_condition_is_that_of_its_gate(make_study: Make) -> None:
    made = make_study(values(gce=EVERYWHERE, sce={"clean": 1.0}))
    results = analyse(made.study, made.records)
    for verdict in results.verdicts:
        if verdict.b == "ce":
            gate = next(
                g for g in results.gates
                if g.a == verdict.a and g.places == ((0, verdict.condition),)
            )  # fmt: skip
            assert (verdict.p_holm, verdict.words) == (gate.p_holm, gate.words)
            assert verdict.p == gate.mean.p


def test_a_hypothesis_is_declared_where_it_says_and_the_rest_of_its_pair_stays_exploratory(
    make_study: Make,
) -> None:
    asked = (Hypothesis("sce", "gce", "symmetric"),)
    made = make_study(values(gce=EVERYWHERE, sce={}), hypotheses=asked)
    results = analyse(made.study, made.records)
    assert results.claims == 3
    found = gates_of(results, "sce", "gce")
    assert list(found) == ["average over symmetric (2 rates)", "symmetric 0.2", "symmetric 0.4"]
    roles = {v.condition: v.role for v in results.verdicts if (v.a, v.b) == ("sce", "gce")}
    assert roles == {
        line: "declared" if line.startswith("symmetric") else "exploratory" for line in LINES
    }
    first = found["average over symmetric (2 rates)"]
    assert (first.depth, first.words) == (1, "worse")


@pytest.mark.parametrize("order", [("gce", "ce"), ("ce", "gce")])
def test_a_hypothesis_that_says_what_is_declared_anyway_costs_nothing(
    make_study: Make, order: tuple[str, str]
) -> None:
    made = make_study(values(gce=EVERYWHERE), hypotheses=(Hypothesis(*order),))
    assert analyse(made.study, made.records).claims == 1


def test_a_hypothesis_may_name_its_methods_either_way_round(make_study: Make) -> None:
    one = make_study(values(gce=EVERYWHERE, sce={}), hypotheses=(Hypothesis("gce", "sce"),))
    two = make_study(values(gce=EVERYWHERE, sce={}), hypotheses=(Hypothesis("sce", "gce"),))
    first, second = (analyse(m.study, m.records) for m in (one, two))
    assert [v.words for v in first.verdicts] == [v.words for v in second.verdicts]
    ahead = gates_of(first, "gce", "sce")["average over all 4 conditions"]
    behind = gates_of(second, "sce", "gce")["average over all 4 conditions"]
    assert (ahead.words, behind.words) == ("better", "worse")
    assert ahead.mean.low == pytest.approx(-(behind.mean.high or 0.0))


def test_an_incomplete_condition_is_left_out_of_the_mean_and_named(make_study: Make) -> None:
    made = make_study(values(gce=EVERYWHERE))
    made.records = [r for r in made.records if (r.spec.noise, r.spec.seed) != ("clean", 3)]
    results = analyse(made.study, made.records)
    first = results.gates[0]
    assert first.where == "average over 3 of 4 conditions"
    assert first.left_out == ("clean",)
    assert first.sentence().endswith("(gate 1). Not in the mean, incomplete: clean.")
    assert len(results.gates) == 6


def test_one_seed_decides_nothing_at_any_gate(make_study: Make) -> None:
    made = make_study({key: v[:1] for key, v in values(gce=EVERYWHERE).items()})
    results = analyse(made.study, made.records)
    assert {gate.p_holm for gate in results.gates} == {None}
    assert results.gates[0].sentence() == (
        "gce and ce are not compared on average over all 4 conditions: one seed has no spread to"
        " test against (gate 1)."
    )


def test_so_few_seeds_that_nothing_can_be_decided_are_said(make_study: Make) -> None:
    made = make_study(values(gce=EVERYWHERE), test="sign flip")
    first = analyse(made.study, made.records).gates[0]
    assert first.sentence().startswith(
        "gce against ce on average over all 4 conditions cannot be decided with 5 seeds: difference"
        " +2.04 points ["
    )


def test_profiles_have_gates_of_their_own_and_share_the_error_rate(make_study: Make) -> None:
    made = make_study(values(gce=EVERYWHERE))
    specs = [replace(s, profile="official") for s in made.study.specs]
    both = replace(made.study, specs=(*made.study.specs, *specs))
    more = [replace(r, spec=replace(r.spec, profile="official")) for r in made.records]
    results = analyse(both, [*made.records, *more])
    assert results.claims == 2
    first = [gate for gate in results.gates if gate.depth == 1]
    assert [gate.profile for gate in first] == ["matched", "official"]
    alone = analyse(made.study, made.records).gates[0]
    assert first[0].p_holm == pytest.approx(2 * (alone.p_holm or 0.0))


def test_pages_say_at_which_gate_each_verdict_stands(make_study: Make, tmp_path: Path) -> None:
    shifts = {"clean": 6.0, LINES[3]: -6.0}
    made = make_study(values(gce=shifts, sce=EVERYWHERE), planned_sd=0.4)
    reports.build_report(made.study, made.records, tmp_path)
    index = (tmp_path / "index.md").read_text()
    assert "2 comparisons are declared (every method against ce)" in index
    assert "a false one in at most 5 % of reports" in index
    assert "- sce beats ce on average over all 4 conditions by" in index
    assert "The other pairs are exploratory: 4 comparisons of this table are one family" in index
    page = (tmp_path / "significance.md").read_text()
    assert "open only after gate 1" in page
    assert "### All other pairs (exploratory)" in page
    assert "Planned: for a standard deviation of 0.40 points" in page
    table = pd.read_csv(tmp_path / "verdicts.csv")
    assert list(table["gate"]) == [1, 2, 2, 3, 3, 2] * 2
    assert set(table["words"]) == {"better", "undecided"}


def test_another_accuracy_than_the_declared_one_makes_every_verdict_exploratory(
    make_study: Make,
) -> None:
    made = make_study(values(gce=EVERYWHERE))
    assert analyse(made.study, made.records).warnings == ()
    (line,) = analyse(made.study, made.records, "oracle").warnings
    assert line == (
        "accuracy rule oracle is not the one that the study declared (last): every verdict here is"
        " exploratory"
    )
    assert analyse(replace(made.study, rule="oracle"), made.records).rule == "oracle"


def with_collapse(seeds: int, collapsed: dict[str, list[int]]) -> dict[tuple[str, str], Any]:
    """``gce`` is two points better than CE; some of its runs are at chance."""
    draws = np.random.Generator(np.random.Philox(seeds))
    found: dict[tuple[str, str], Any] = {}
    for line in LINES:
        ce = 80 + draws.normal(0, 1, seeds)
        gce = ce + 2 + draws.normal(0, 0.3, seeds)
        gce[collapsed.get(line, [])] = 10.0
        found["ce", line], found["gce", line] = ce.tolist(), gce.tolist()
    return found


def test_a_collapsed_run_closes_no_gate_and_is_named(make_study: Make) -> None:
    made = make_study(with_collapse(6, {"clean": [2], "symmetric:0.4": [2, 5]}))
    found = gates_of(analyse(made.study, made.records), "gce")
    first = found["average over all 4 conditions"]
    assert first.words == "better"
    assert first.mean.estimate == pytest.approx(2, abs=0.3)
    assert first.mean.df == pytest.approx((4 + 3 + 5 + 5) / 4)
    assert first.sentence().endswith(
        "t, Satterthwaite over 6 seeds (gate 1). gce collapsed in 3 and ce in 0 of 24 runs (exact"
        " McNemar, p = 0.500), so 3 pairs left out."
    )
    assert found["asymmetric 0.4 (map=block5)"].words == "better"


def test_over_conditions_a_seed_is_one_outcome(make_study: Make) -> None:
    """Eight of nine seeds collapse in two conditions each: eight outcomes, not sixteen."""
    seeds = list(range(8))
    made = make_study(with_collapse(9, {"clean": seeds, "symmetric:0.2": seeds}))
    first = gates_of(analyse(made.study, made.records), "gce")["average over all 4 conditions"]
    assert first.outcomes is not None
    assert (first.outcomes.a, first.outcomes.only_a, first.outcomes.left_out) == (16, 8, 16)
    assert first.outcomes.p == pytest.approx(2 / 2**8)
    # In both conditions one pair is left, which shows no spread.
    assert first.left_out == (
        "clean (fewer than two pairs left)",
        "symmetric 0.2 (fewer than two pairs left)",
    )
    # Better where it does not collapse, but it loses more seeds than it wins.
    assert first.words == "undecided"


def test_a_method_that_collapses_more_often_everywhere_is_worse(make_study: Make) -> None:
    most = {line: list(range(8)) for line in LINES}
    made = make_study(with_collapse(9, most))
    first = gates_of(analyse(made.study, made.records), "gce")["average over all 4 conditions"]
    assert first.words == "worse"
    assert "gce is worse than ce on average over" in first.sentence()
    assert "by how often they collapse: p_Holm = 0.008" in first.sentence()
