"""What reports promise, on tables of known truth; ``nlbench bench verdicts`` is the large one.

The bounds are those of the documentation, widened by three standard errors of so few tables.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from nlbench.reports.simulate import verdicts
from nlbench.reports.simulate.agreement import differing
from nlbench.reports.simulate.cases import Case, equal_methods, some_methods
from nlbench.reports.simulate.draw import CONDITIONS, LEVEL, SHAPES, World, draw
from nlbench.reports.simulate.ladder import ladder
from nlbench.reports.simulate.vectors import corrected, gates_of, may_decide, paired
from nlbench.reports.stats import holm

HELD = [shape for shape in SHAPES if shape != "skewed against tight"]


@pytest.mark.parametrize("shape", SHAPES)
def test_tables_at_once_are_decided_as_by_the_whole_path(shape: str) -> None:
    assert differing(Case(shape, 3, 5), 3) == 0


def test_moderated_tables_at_once_are_decided_as_by_the_whole_path() -> None:
    assert differing(Case("normal", 10, 3), 2) == 0


@pytest.mark.parametrize("shape", HELD)
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_a_report_errs_in_five_percent_and_its_intervals_cover(shape: str, seeds: int) -> None:
    tables = 1500
    found = equal_methods(Case(shape, 3, seeds), tables)
    slack = 300 * np.sqrt(0.05 * 0.95 / tables)
    assert found["report"] < 5 + slack
    assert found["exploratory"] < 5 + slack
    assert found["best set"] < 5 + slack
    # No interval of so few runs holds a mean that one run in twenty decides.
    names = ["difference", "over conditions", *(["mean"] if shape != "5 % collapse" else [])]
    for name in names:
        assert 93 < found[name] < (99 if shape == "ties" else 97.2)


def test_with_normal_runs_the_error_is_no_less_than_promised() -> None:
    assert 3.5 < equal_methods(Case("normal", 3, 5), 3000)["report"] < 6.5


def test_false_verdicts_beside_true_ones_stay_rare_and_true_ones_are_found() -> None:
    found = some_methods(Case("normal", 3, 10), 400)
    assert found["report"] < 5 + 300 * np.sqrt(0.05 * 0.95 / 400)
    assert found["first gate"] > 70


def test_the_best_set_is_small_and_gates_find_no_less_than_holm_over_everything() -> None:
    found = ladder(10, 5, 100)
    assert found["best set"] < 5 < found["Holm"]
    assert found["lost"] < 6
    assert found["condition"] > found["all Holm"]
    assert found["first gate"] > found["power Holm"]


def test_shapes_have_the_mean_and_spread_that_are_said() -> None:
    for shape in HELD:
        if shape == "5 % collapse":
            continue
        world = World(shape, np.zeros((4, 2)), 5)
        values = draw(world, 4000, np.random.Generator(np.random.Philox(1)))
        assert values.shape == (4000, 4, 2, 5)
        assert values.mean() == pytest.approx(LEVEL, abs=0.02)


def test_the_tests_are_scipys() -> None:
    differences = np.random.Generator(np.random.Philox(2)).normal(0.3, 1, (6, 4))
    differences[0, 2] = np.nan
    found = paired(differences)
    for at, row in enumerate(differences):
        expected = scipy_stats.ttest_1samp(row[~np.isnan(row)], 0)
        assert found.p[at] == pytest.approx(expected.pvalue)
        assert found.mean[at] + found.half[at] == pytest.approx(expected.confidence_interval().high)
    constant = paired(np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    assert constant.p.tolist() == [0.25, 1.0]
    assert np.isnan(constant.half).all()


def test_gates_stand_under_each_other() -> None:
    parts = gates_of(CONDITIONS)
    assert parts[:4] == [(0, 1, 2, 3, 4, 5), (0,), (1, 2, 3), (1,)]
    p = np.full((2, len(parts)), 0.001)
    p[0, 0] = 0.2
    assert (corrected(p, CONDITIONS)[0] >= 0.2).all()
    assert may_decide(p[np.newaxis]).all()
    one = np.array([[0.01], [0.04]])
    np.testing.assert_allclose(corrected(one, CONDITIONS[:1])[:, 0], holm(one[:, 0]))


def test_the_page_names_what_is_outside_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "SHAPES", dict.fromkeys(["normal", "skewed against tight"]))
    monkeypatch.setattr(verdicts, "METHODS", (3, 4))
    monkeypatch.setattr(verdicts, "SEEDS", (3,))
    monkeypatch.setattr(verdicts, "LADDERS", ((5, 3),))
    page = verdicts.run(400)
    outside = page.split("Outside the bounds")[1]
    assert "paired difference" in page
    assert "- difference, skewed against tight: " in outside
    assert "0 differ" in page
