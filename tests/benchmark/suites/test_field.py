"""The suites beside `field`: what they share with it, and that they are ready to train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nlbench import baselines
from nlbench.benchmark import models
from nlbench.benchmark.suites import suite
from nlbench.benchmark.training.course import course
from nlbench.benchmark.training.limits import check_method
from nlbench.methods_page import shipped

PUBLISHED = Path(__file__).resolve().parents[3] / "results" / "published" / "field"


def test_the_anchors_of_the_suite_of_views_are_runs_of_the_field() -> None:
    field, views = suite.load("field"), suite.load("field-views")
    shared = {s.run_id for s in field.specs} & {s.run_id for s in views.specs}
    assert len(shared) == 3 * 4 * 5
    assert len(views.specs) == 8 * 4 * 5
    others = {s.method.name for s in views.specs if s.run_id not in shared}
    assert others == {name for name in baselines.names() if baselines.get(name).strong_views}
    assert not others & {s.method.name for s in field.specs}


def test_the_leaders_are_the_first_ten_of_the_published_field_on_other_seeds() -> None:
    field, leaders = suite.load("field"), suite.load("field-leaders")
    rows = pd.read_csv(PUBLISHED / "leaderboard.csv")
    first = rows.groupby("method_name")["mean"].mean().nlargest(10)
    assert {s.method.name for s in leaders.specs} == {"ce", "drainage", *first.index}
    assert {s.seed for s in leaders.specs} == {5, 6, 7, 8, 9}
    moved = {replace(s, seed=s.seed - 5).run_id for s in leaders.specs}
    assert moved < {s.run_id for s in field.specs}


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("field-cifar10", {"epochs": 120, "lr": 0.01, "weight_decay": 1e-4, "eval_every": 10}),
        ("field-cifar100", {"epochs": 200, "lr": 0.1, "weight_decay": 1e-5, "eval_every": 20}),
    ],
)
def test_the_field_on_cifar_has_every_method_with_its_published_setting(
    name: str, recipe: dict[str, float]
) -> None:
    found = suite.load(name)
    names = {cls.name for cls in shipped()} - {"drainage-constant"}
    assert len(found.specs) == len({spec.run_id for spec in found.specs}) == len(names) * 4 * 5
    assert {spec.method.name for spec in found.specs} == names
    assert [spec.seed for spec in found.specs] == sorted(spec.seed for spec in found.specs)
    (one,) = {spec.recipe for spec in found.specs}
    assert {key: getattr(one, key) for key in recipe} == recipe
    assert (one.precision, one.schedule, one.clip_norm) == ("bf16", "cosine", 5.0)
    family = name.removeprefix("field-")
    for spec in found.specs:
        published = baselines.get(spec.method.name).published.get(family)
        if published is not None:
            assert spec.method.values.items() >= dict(published.params).items()


@pytest.mark.parametrize("name", ["field-views", "field-cifar10", "field-cifar100"])
def test_nothing_that_a_method_needs_is_missing(name: str) -> None:
    found = suite.load(name).select(seeds=[0])
    (model,) = {spec.model for spec in found.specs}
    shape, classes = ((1, 28, 28), 10) if "views" in name else ((3, 32, 32), 10)
    models.build(model, shape, classes + 1)
    for spec in found.specs:
        method = baselines.create(spec.method.name, spec.method.values)
        check_method(method, spec.dataset.name, False, spec.noise, spec.dataset.holdout)
        assert sum(1 for _ in course(method, spec.recipe)) >= spec.recipe.epochs
