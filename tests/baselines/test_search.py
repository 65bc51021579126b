"""Candidates of the profile `tuned`: as many for every method, fixed, different, in range."""

from __future__ import annotations

import pytest

from nlbench import baselines
from nlbench.baselines import MethodError, hyper
from nlbench.baselines.search import candidates

PINNED = [({}, 1.0), ({"q": 0.5}, 10.0), ({"q": 0.3}, 1.0), ({"q": 0.3}, 0.1)]
SHIPPED = [n for n in baselines.names() if "nlbench." in baselines.get(n).__module__]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_method_has_eight_different_settings(name: str) -> None:
    found = candidates(name, {}, 8)
    assert (dict(found[0].params), found[0].lr) == ({}, 1.0)
    made = {(str(baselines.create(name, c.params).params()), c.lr) for c in found}
    assert len(made) == 8
    searched = {p.name for p in baselines.get(name).hyperparameters() if p.search}
    assert all(set(c.params) == searched for c in found[1:])


def test_the_learning_rate_is_searched_by_itself_where_there_is_nothing_else() -> None:
    assert {c.lr for c in candidates("ce", {}, 9)} == set(baselines.get("ce").search_lr)


def test_settings_do_not_depend_on_the_budget() -> None:
    assert candidates("gce", {}, 20)[:8] == candidates("gce", {}, 8)
    # Fixed for good: a study's runs follow from them.
    assert [(dict(c.params), c.lr) for c in candidates("gce", {}, 4)] == PINNED


def test_what_is_given_and_not_searched_stays() -> None:
    found = candidates("bi-tempered", {"t1": 0.3}, 8)
    assert found[0].params == {"t1": 0.3}
    found = candidates("coteaching", {"forget": 0.2}, 8)
    assert {c.params["forget"] for c in found} == {0.2}


@pytest.mark.parametrize("budget", [0, 10])
def test_a_budget_beyond_the_settings_is_refused(budget: int) -> None:
    with pytest.raises(MethodError, match=f"'ce': a budget of {budget} must be from 1 to 9"):
        candidates("ce", {}, budget)


def test_a_search_value_out_of_range_is_refused() -> None:
    with pytest.raises(MethodError, match=r"search value 2.0 is outside \[0, 1\]"):
        hyper(0.7, "exponent", "[0, 1]", search=(0.5, 2.0))
