"""RunSpec: identity, canonical text, refusal of what is malformed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.canonical_json import canonical_json, sha256_of
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec


def spec(**changes: object) -> RunSpec:
    base = RunSpec(
        DatasetSpec("digits"),
        "mlp",
        MethodSpec.of("gce", {"q": 0.7}),
        "symmetric:0.4",
        0,
        Recipe(epochs=2),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_run_id_is_the_sha256_of_the_canonical_json_written_out_by_hand() -> None:
    by_hand = json.dumps(
        {
            "schema": 1,
            "dataset": {"name": "digits", "train_per_class": None, "holdout": 0.0},
            "model": "mlp",
            "method": {"name": "gce", "params": {"q": 0.7}},
            "profile": "matched",
            "noise": "symmetric:0.4",
            "seed": 0,
            "recipe": {
                "epochs": 2, "batch_size": 128, "lr": 0.01, "momentum": 0.9, "nesterov": False,
                "weight_decay": 0.0, "l1": 0.0, "clip_norm": 5.0, "schedule": "cosine",
                "milestones": [], "gamma": 0.1, "augment": "none", "precision": "float32",
            },
        },
        sort_keys=True,
        separators=(",", ":"),
    )  # fmt: skip
    assert spec().run_id == hashlib.sha256(by_hand.encode()).hexdigest()[:16]


TEXTS = st.text(max_size=9)
VALUES = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans())


@given(
    data=st.builds(
        DatasetSpec,
        name=TEXTS,
        train_per_class=st.none() | st.integers(1, 99),
        holdout=st.floats(0, 0.9),
        size=st.none() | st.integers(8, 99),
    ),
    model=TEXTS,
    method=st.builds(MethodSpec.of, TEXTS, st.dictionaries(TEXTS, VALUES | TEXTS | st.none())),
    noise=TEXTS,
    seed=st.integers(0, 2**53) | st.booleans() | st.floats(0, 9),
    recipe=st.builds(
        Recipe,
        epochs=st.integers(1, 9),
        lr=st.floats(0.001, 9),
        milestones=st.lists(st.integers(1, 9), max_size=3).map(tuple),
        eval_every=st.integers(1, 3),
    ),
    profile=TEXTS,
)
def test_run_id_from_parts_is_that_of_the_whole(**values: Any) -> None:
    made = RunSpec(**{"dataset" if key == "data" else key: v for key, v in values.items()})
    whole = canonical_json(made.to_dict())
    assert made.run_id == hashlib.sha256(whole.encode()).hexdigest()[:16]


def test_golden_run_id_never_changes_unnoticed() -> None:
    assert spec().run_id == "a0e97054fd8bdc9b"


def test_metrics_from_outside_are_written_where_there_are_any() -> None:
    asked = spec(metrics=("mine:LEAD",))
    assert "metrics" not in spec().to_dict()
    assert json.loads(canonical_json(asked.to_dict()))["metrics"] == ["mine:LEAD"]
    assert asked.run_id == sha256_of(asked.to_dict())[:16] != spec().run_id
    assert RunSpec.from_dict(asked.to_dict()) == asked
    with pytest.raises(UserError, match="malformed"):
        RunSpec.from_dict({**spec().to_dict(), "metrics": None})


def test_a_field_younger_than_published_runs_is_written_only_where_it_is_set() -> None:
    recipe = Recipe(epochs=2, eval_every=3)
    assert "eval_every" not in Recipe(epochs=2).to_dict()
    assert recipe.to_dict()["eval_every"] == 3
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert Recipe.from_dict({"epochs": 2, "eval_every": 1}) == Recipe(epochs=2)


def test_the_optimizer_is_written_where_it_is_not_sgd() -> None:
    assert not {"optimizer", "betas", "eps"} & Recipe(epochs=2).to_dict().keys()
    given = {"epochs": 2, "optimizer": "adamw", "betas": [0.8, 0], "eps": 1e-6}
    recipe = Recipe.from_dict(given)
    assert {name: recipe.to_dict()[name] for name in given} == given
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_another_optimizer_does_not_get_what_only_the_former_reads() -> None:
    sgd = Recipe(epochs=2, momentum=0.5, nesterov=True, weight_decay=0.1)
    adam = Recipe(epochs=2, optimizer="adam", eps=1e-6, weight_decay=0.1)
    assert sgd.override({"optimizer": "adam", "eps": 1e-6}, "here") == adam
    assert adam.override({"optimizer": "sgd"}, "here") == Recipe(epochs=2, weight_decay=0.1)
    with pytest.raises(UserError, match=r"momentum = 0\.5 is not read"):
        sgd.override({"optimizer": "adam", "momentum": 0.5}, "here")
    with pytest.raises(UserError, match="unknown optimizer 'adm'"):
        sgd.override({"optimizer": "adm"}, "here")
    with pytest.raises(UserError, match="should be a text"):
        sgd.override({"optimizer": ["adam"]}, "here")


@pytest.mark.parametrize(
    ("epochs", "every", "taken"), [(7, 3, [3, 6, 7]), (6, 3, [3, 6]), (2, 5, [2])]
)
def test_accuracies_are_taken_every_so_many_epochs_and_at_the_end(
    epochs: int, every: int, taken: list[int]
) -> None:
    recipe = Recipe(epochs=epochs, eval_every=every)
    assert [e for e in range(1, epochs + 1) if recipe.evaluates(e)] == taken


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": DatasetSpec("digits", 100)},
        {"dataset": DatasetSpec("digits", None, 0.1)},
        {"model": "cnn_small"},
        {"method": MethodSpec.of("gce", {"q": 0.5})},
        {"noise": "clean"},
        {"seed": 1},
        {"recipe": Recipe(epochs=3)},
        {"recipe": Recipe(epochs=2, precision="bf16")},
        {"recipe": Recipe(epochs=2, eval_every=2)},
        {"recipe": Recipe(epochs=2, optimizer="adam")},
        {"recipe": Recipe(epochs=2, optimizer="adamw", betas=(0.8, 0.999))},
        {"profile": "official"},
    ],
)
def test_everything_that_changes_the_meaning_changes_the_id(changes: dict[str, object]) -> None:
    assert spec(**changes).run_id != spec().run_id


@given(
    seed=st.integers(0, 10**6),
    lr=st.floats(1e-6, 10),
    per_class=st.none() | st.integers(1, 1000),
    params=st.dictionaries(st.text(min_size=1), st.none() | st.booleans() | st.floats(-9, 9)),
)
def test_round_trip_through_json(
    seed: int, lr: float, per_class: int | None, params: dict[str, float | bool | None]
) -> None:
    one = spec(
        seed=seed,
        dataset=DatasetSpec("digits", per_class),
        method=MethodSpec.of("x", params),
        recipe=Recipe(epochs=2, lr=lr, schedule="step", milestones=(1,)),
    )
    again = RunSpec.from_dict(json.loads(canonical_json(one.to_dict())))
    assert again == one
    assert again.run_id == one.run_id


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "epochs is missing"),
        ({"epochs": 0}, "epochs = 0 must be at least 1"),
        ({"epochs": 2.5}, "epochs = 2.5 should be a whole number"),
        ({"epochs": 2, "momentum": 1.0}, r"momentum = 1.0 must be in \[0, 1\)"),
        ({"epochs": 2, "learning_rate": 0.1}, "learning_rate"),
        ({"epochs": 2, "weight_decy": 0.1}, "weight_decay"),
        ({"epochs": 2, "schedule": "cosin"}, "cosine"),
        ({"epochs": 2, "precision": "fp16"}, "fp16"),
        ({"epochs": 2, "eval_every": 0}, "eval_every = 0 must be at least 1"),
        ({"epochs": 2, "optimizer": "adm"}, "unknown optimizer 'adm' in recipe.*'adam'.*sgd"),
        ({"epochs": 2, "betas": [0.9]}, r"betas = \(0.9,\) must be two numbers"),
        ({"epochs": 2, "betas": 0.9}, "betas = 0.9 should be a list of numbers"),
        ({"epochs": 2, "betas": [0.9, 1.0]}, r"betas = \(0.9, 1.0\) must be in \[0, 1\)"),
        ({"epochs": 2, "optimizer": "adam", "eps": 0}, "eps = 0.0 must be above 0"),
        ({"epochs": 2, "eps": 1e-6}, "eps = 1e-06 is not read by optimizer 'sgd'.* 1e-08"),
        (
            {"epochs": 2, "optimizer": "adam", "momentum": 0.5},
            "momentum = 0.5 is not read by optimizer 'adam'; leave it at 0.9",
        ),
        ({"epochs": 2, "momentum": 0, "nesterov": True}, "nesterov = True must be false without"),
        ({"epochs": 2, "lr": "fast"}, "lr = 'fast' should be a finite number"),
        ({"epochs": 2, "milestones": ["a"]}, "milestones"),
    ],
)
def test_a_recipe_names_what_is_wrong(values: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Recipe.from_dict(values)


def test_another_schema_is_refused() -> None:
    with pytest.raises(UserError, match="schema 99"):
        RunSpec.from_dict({**spec().to_dict(), "schema": 99})


def test_integers_and_floats_of_one_value_are_one_recipe() -> None:
    assert Recipe.from_dict({"epochs": 2, "lr": 1}) == Recipe.from_dict({"epochs": 2, "lr": 1.0})
