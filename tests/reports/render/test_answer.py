"""The three lines: against the tables they come from, for studies of every size."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nlbench import reports
from nlbench.benchmark import published
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.answer import Answer, answer
from nlbench.reports.render.leader import best_names
from nlbench.reports.text import number
from nlbench.studies import published_study

Make = Callable[..., Any]
PUBLISHED = Path(__file__).resolve().parents[3] / "results" / "published"
LINES = ("clean", "symmetric:0.2", "symmetric:0.4", "asymmetric:0.4")


def two(ce: float, gce: float, lines: Sequence[str] = LINES) -> dict[tuple[str, str], Any]:
    """Accuracies of two methods whose difference varies a little over three seeds."""
    rows = {("ce", line): [ce, ce + 1.0, ce + 2.2] for line in lines}
    return rows | {("gce", line): [gce, gce + 1.1, gce + 2.5] for line in lines}


def of(made: Any) -> Answer:
    return answer(analyse(made.study, made.records))


@pytest.fixture(scope="module")
def fashion() -> tuple[Results, Answer]:
    found = published.read(PUBLISHED / "fashion")
    records = [r for r in found.records() if not isinstance(r, str)]
    results = analyse(published_study(found.suite, found.command), records)
    return results, answer(results)


def test_leaders_are_the_best_sets_of_the_published_table(
    fashion: tuple[Results, Answer],
) -> None:
    results, found = fashion
    board = pd.read_csv(PUBLISHED / "fashion" / "leaderboard.csv")
    board = board[board["scope"] == "condition"]
    told = found.who.split("; by condition ")[1].split(". None")[0]
    groups = {}
    for part in told.split("; "):
        names, where = part.split(" on ")
        for line in re.split(r", | and ", where):
            groups[line] = set(names.split(" or "))
    best = board[board["in_best_set"] == 1].groupby("condition")["method"].agg(set)
    assert groups == {pretty_condition(str(line)): names for line, names in best.items()}
    assert found.best == "GCE"
    assert results.best_overall(results.blocks[0]) == {"GCE"}


def test_differences_are_those_of_the_published_tables(fashion: tuple[Results, Answer]) -> None:
    results, found = fashion
    verdicts = pd.read_csv(PUBLISHED / "fashion" / "verdicts.csv")
    mine = verdicts[verdicts["a"] == "GCE"]
    first = mine[mine["gate"] == 1].iloc[0]
    single = mine[mine["level"] == "condition"].sort_values("estimate")
    for row in (first, single.iloc[0], single.iloc[-1]):
        ends = f"[{number(row['ci_low'])}, {number(row['ci_high'])}]"
        assert f"{number(row['estimate'], sign=True)} {ends}" in found.how_much
    pairs = pd.read_csv(PUBLISHED / "fashion" / "overall.csv")
    pair = pairs[(pairs["a"] == "Drainage") & (pairs["b"] == "GCE")].iloc[0]
    ends = f"[{number(-pair['ci_high'])}, {number(-pair['ci_low'])}]"
    assert f"{number(-pair['estimate'], sign=True)} points {ends}" in found.how_much
    counts = single["words"].value_counts()
    assert f"better on {counts['better']} of 6, worse on {counts['worse']}" in found.how_sure
    assert found.verdict == next(g for g in results.gates if g.a == "GCE").sentence()


def test_the_report_and_the_page_begin_with_it(make_study: Make, tmp_path: Path) -> None:
    made = make_study({(m, n): [80.0 + i, 81.5 + i, 82.0 + i] for i, m in enumerate(("ce", "gce"))
                       for n in LINES})  # fmt: skip
    reports.build_report(made.study, made.records, tmp_path)
    text = (tmp_path / "index.md").read_text("utf-8")
    places = [text.index(words) for words in (
        "# A small study", "**Who leads:**", "**By how much:**", "**How sure:**", "Four words",
        "| noise", "figures/accuracy.png", "## Verdicts", "## Details", "Notes:",
        "figures/effects.png", "## Set-up",
    )]  # fmt: skip
    assert places == sorted(places)
    assert text.count("figures/accuracy.png") == 1


def test_one_run_has_nothing_to_decide(make_study: Make) -> None:
    found = of(make_study({("ce", "clean"): [90.0]}))
    assert found.who == "ce alone was run: there is nothing to compare."
    assert found.how_much == "ce reaches 90.00 %."
    assert found.how_sure == "Nothing is decided: there is no pair of methods to compare."
    assert found.best == "–"


def test_one_method_on_several_conditions(make_study: Make) -> None:
    found = of(make_study({("ce", "clean"): [90.0, 92.0], ("ce", "symmetric:0.4"): [80.0, 82.0]}))
    assert found.how_much == "ce reaches 86.00 % on average."
    assert "nothing to compare" in found.verdict


def test_one_seed_names_the_highest_mean_and_decides_nothing(make_study: Make) -> None:
    found = of(make_study({("ce", "clean"): [90.0], ("gce", "clean"): [95.0]}))
    assert found.who == "gce has the highest mean on clean (not tested)."
    assert "+5.00 points on clean" in found.how_much
    assert found.how_sure.startswith("Nothing is decided in 1 declared comparison: ")
    assert "seed" in found.how_sure


def test_no_decision_is_said_with_the_smallest_p(make_study: Make) -> None:
    values = {("ce", "clean"): [90.0, 92.0, 91.0], ("gce", "clean"): [91.0, 91.5, 91.2]}
    made = make_study(values)
    found = of(made)
    results = analyse(made.study, made.records)
    (gate,) = results.gates
    assert not gate.decided
    assert found.who.startswith("gce or ce on clean")
    assert f"smallest p_Holm = {gate.p_holm:.3f}, paired t over 3 seeds" in found.how_sure
    assert "not distinguishable" in found.verdict


def test_a_baseline_in_front_is_said_to_be(make_study: Make) -> None:
    found = of(make_study(two(90.0, 80.0)))
    assert found.who.startswith("ce on average over all 4 conditions; by condition ce on each")
    assert "ce minus gce, the next: +9.87 points" in found.how_much
    assert found.verdict == (
        "ce has the highest mean; of 1 method compared with it 0 are better and 1 worse."
    )
    assert "0 better, 1 worse, 0 undecided" in found.how_sure


def test_missing_runs_take_a_condition_out_of_the_average(make_study: Make) -> None:
    values: dict[tuple[str, str], list[float | None]] = two(80.0, 90.0)
    values["gce", "clean"] = [90.0, None, 92.0]
    found = of(make_study(values))
    assert "gce on average over the 3 complete of 4 conditions" in found.who


def test_fifty_three_methods_are_not_listed(make_study: Make) -> None:
    draw = np.random.default_rng(0)
    shared = draw.normal(0, 1, (len(LINES), 5))
    values = {
        (f"m{i:02d}", line): list(70 + min(i, 45) / 5 + shared[at] + draw.normal(0, 0.2, 5))
        for i in range(53)
        for at, line in enumerate(LINES)
    }
    found = of(make_study(values))
    for line in (found.who, found.how_much, found.how_sure):
        assert len(line) < 700
        assert len(re.findall(r"\bm\d\d\b", line)) <= 3 * (len(LINES) + 1)
    assert re.search(r"or \d more", found.who)
    assert "The 52 declared comparisons" in found.how_sure


def test_many_conditions_are_counted(make_study: Make) -> None:
    lines = [f"symmetric:{rate / 100}" for rate in range(5, 80, 5)]
    values = two(80.0, 90.0, lines)
    values["ce", lines[0]] = [95.0, 96.0, 97.2]
    found = of(make_study(values))
    assert "in the best set of the most of 15 conditions: gce (14), ce (1)" in found.who


def test_several_profiles_are_answered_one_by_one() -> None:
    found = published.read(PUBLISHED / "l1-budget-digits")
    records = [r for r in found.records() if not isinstance(r, str)]
    results = analyse(published_study(found.suite, found.command), records)
    told = answer(results)
    profiles = [whole.profile for whole in results.overall]
    assert len(profiles) == 3
    for line in (told.who, told.how_much, told.how_sure, told.verdict):
        places = [line.index(f"Profile {profile}: ") for profile in profiles]
        assert places == sorted(places)
    firsts = [g for g in results.gates if g.depth == 1]
    best = max((g for g in firsts if g.profile == profiles[0]), key=lambda g: g.mean.estimate or 0)
    gap = number(best.mean.estimate, sign=True)
    assert f"Profile {profiles[0]}: {best.a} minus {best.b}: {gap} " in told.how_much
    decided = [sum(g.words == words for g in firsts) for words in ("better", "worse", "undecided")]
    assert "{} better, {} worse, {} undecided".format(*decided) in told.how_sure
    assert "p_Holm" not in told.verdict


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a"], "a"),
        (["a", "b"], "a or b"),
        (["a", "b", "c"], "a, b or c"),
        (["a", "b", "c", "d", "e"], "a, b, c or 2 more"),
    ],
)
def test_names_of_a_best_set(names: list[str], told: str) -> None:
    assert best_names(names) == told
