"""Differences over the values of a recipe, against SciPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from nlbench import reports
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.reports.compare.results import analyse
from nlbench.reports.topics import recipe_axis

Make = Callable[..., Any]
LINE = "symmetric:0.4"
VALUES = (0.0, 1e-3)


def study(make_study: Make) -> tuple[Any, dict[tuple[str, float], NDArray[np.float64]]]:
    """Two methods, each with both penalties, and the accuracies of each."""
    draws = np.random.default_rng(3)
    luck = draws.normal(0, 2, 6)
    numbers = {
        (m, l1): 70 + luck + draws.normal(0, 1, 6) + 3 * (m == "gce") + 5 * (l1 > 0)
        for m in ("ce", "gce")
        for l1 in VALUES
    }
    parts = []
    for l1 in VALUES:
        made = make_study({(m, LINE): list(numbers[m, l1]) for m in ("ce", "gce")})
        recipe = Recipe(epochs=2, l1=l1)
        parts += [replace(r, spec=replace(r.spec, recipe=recipe)) for r in made.records]
    made.study = replace(made.study, specs=tuple(r.spec for r in parts))
    made.records = parts
    return made, numbers


def test_methods_at_unequal_values_are_compared_seed_by_seed(make_study: Make) -> None:
    made, numbers = study(make_study)
    results = analyse(made.study, made.records)
    assert [block.title.split(", ")[-1] for block in results.blocks] == ["L1 0", "L1 0.001"]
    (axis,) = recipe_axis.find(results)
    assert len(axis.differences) == 4 + 2
    for one in axis.differences:
        first, second = (numbers[m, float(v.removeprefix("L1 "))] for m, v in (one.a, one.b))
        reference = scipy_stats.ttest_rel(first, second)
        assert one.found.p == pytest.approx(reference.pvalue)
        assert one.found.ci_low == pytest.approx(reference.confidence_interval().low)
        assert one.found.family_size == 6
    assert {(one.question, one.a, one.b) for one in axis.differences} >= {
        (recipe_axis.BOTH, ("gce", "L1 0.001"), ("ce", "L1 0")),
        (recipe_axis.SAME, ("gce", "L1 0"), ("ce", "L1 0")),
        (recipe_axis.VALUE, ("ce", "L1 0.001"), ("ce", "L1 0")),
    }


def test_tables_of_one_value_compare_within_it_only(make_study: Make) -> None:
    made, numbers = study(make_study)
    verdicts = analyse(made.study, made.records).verdicts
    assert len(verdicts) == 2
    gaps = [float(np.mean(numbers["gce", l1] - numbers["ce", l1])) for l1 in VALUES]
    assert [v.estimate for v in verdicts] == pytest.approx(gaps)


def test_the_report_has_page_csv_and_section_only_with_several_values(
    make_study: Make, tmp_path: Path
) -> None:
    made, _ = study(make_study)
    reports.build_report(made.study, made.records, tmp_path / "two", only="tables")
    page = (tmp_path / "two/recipe-axis.md").read_text()
    assert "### gce − ce" in page
    assert "Holm over the 6 differences" in page
    reports.build_report(made.study, made.records, tmp_path / "two", only="leaderboard")
    table = pd.read_csv(tmp_path / "two/recipe-axis.csv")
    assert len(table) == 6
    assert set(table["recipe_a"]) == {
        f"learning rate 0.01, L1 {l1:g}, L2 0, precision float32, epochs 2" for l1 in VALUES
    }
    board = pd.read_csv(tmp_path / "two/leaderboard.csv")
    assert (board["scope"] == "condition").sum() == 4
    one = make_study({("ce", LINE): [70.0, 71.0], ("gce", LINE): [72.0, 73.0]})
    reports.build_report(one.study, one.records, tmp_path / "one", only="tables")
    assert not (tmp_path / "one/recipe-axis.md").exists()
