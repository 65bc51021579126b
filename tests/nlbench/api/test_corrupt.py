"""``nlbench.corrupt``: the engine's labels, in the kind that was given; every mistake is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import nlbench
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.pipeline.select import host
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.noise import NoisyLabels, make, verify

DIGITS = DatasetSpec("digits")
Y = np.arange(60) % 3
NOISY = make("symmetric:0.4", Y, num_classes=3, seed=5).noisy
NAMES = np.array(["ant", "bee", "cow"])


def given(kind: str) -> Any:
    """The labels Y in some kind."""
    index = pd.RangeIndex(100, 160)
    categories = pd.CategoricalDtype(["ant", "bee", "cow"])
    kinds: dict[str, Any] = {
        "list": Y.tolist(),
        "tuple": tuple(Y.tolist()),
        "names": NAMES[Y].tolist(),
        "list of NumPy numbers": list(Y),
        "uint8": Y.astype(np.uint8),
        "floats": Y.astype(np.float32),
        "array of names": NAMES[Y],
        "array of objects": NAMES[Y].astype(object),
        "from one on": Y + 1,
        "tensor": torch.tensor(Y),
        "small tensor": torch.tensor(Y, dtype=torch.uint8),
        "Series": pd.Series(Y, index, name="y"),
        "Series of names": pd.Series(NAMES[Y], index, name="y"),
        "nullable Series": pd.Series(Y, index, dtype="Int64"),
        "categorical": pd.Series(NAMES[Y], index, dtype=categories),
    }
    return kinds[kind]


KINDS = (
    "list", "tuple", "names", "list of NumPy numbers", "uint8", "floats", "array of names",
    "array of objects", "from one on", "tensor", "small tensor", "Series", "Series of names",
    "nullable Series", "categorical",
)  # fmt: skip


def codes(labels: Any) -> list[int]:
    values = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    return [sorted(set(values)).index(value) for value in values]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_labels_in_the_kind_that_was_given(kind: str) -> None:
    labels = given(kind)
    noisy = nlbench.corrupt(labels, "symmetric:0.4", seed=5)
    assert codes(noisy) == NOISY.tolist()
    assert codes(labels) == Y.tolist()  # not changed
    assert type(noisy) is type(labels)
    if hasattr(labels, "dtype"):
        assert noisy.dtype == labels.dtype
    if isinstance(labels, pd.Series):
        assert noisy.index.equals(labels.index)
        assert noisy.name == labels.name
    if isinstance(labels, list):
        assert {type(value) for value in noisy} <= {int, str}


def test_they_are_what_a_run_of_this_data_set_trains_on() -> None:
    clean = host(DIGITS, None).y_train
    for line in ("asymmetric:0.4", "instance:0.3"):
        wanted = draw_labels(line, DIGITS, 3, None)
        pixels = torch.tensor(host(DIGITS, None).x_train)
        for features in (pixels, pixels.numpy(), {"pixels": pixels}):
            noisy, facts = nlbench.corrupt(
                clean, line, seed=3, features=features, dataset="digits", details=True
            )
            assert facts.fingerprint == wanted.fingerprint
            assert (noisy == wanted.noisy).all()


def test_vectors_may_be_a_table_or_a_list() -> None:
    vectors = np.random.Generator(np.random.Philox(0)).normal(size=(60, 4))
    wanted = make("instance:0.4", Y, num_classes=3, seed=0, features=vectors).noisy
    for features in (vectors, vectors.tolist(), pd.DataFrame(vectors), torch.tensor(vectors)):
        assert (nlbench.corrupt(Y, "instance:0.4", features=features) == wanted).all()


def test_the_facts_are_a_label_file(tmp_path: Path) -> None:
    noisy, facts = nlbench.corrupt(given("names"), "pair:0.2", seed=1, details=True)
    assert [a != b for a, b in zip(noisy, given("names"), strict=True)] == facts.flipped.tolist()
    assert facts.transition_counts.sum() == 60
    verify(NoisyLabels.load(facts.save(tmp_path / "labels.npz")))
    text = repr(facts)
    assert "\n" not in text
    assert len(text) < 120
    assert f"pair:0.2, seed 1: {facts.flipped.sum()} of 60 labels flipped, 3 classes" in text


def test_categories_keep_their_order() -> None:
    order = pd.CategoricalDtype(["cow", "ant", "bee"])
    labels = pd.Series(NAMES[[1, 2, 0] * 20], dtype=pd.CategoricalDtype(["bee", "cow", "ant"]))
    assert nlbench.corrupt(labels, "pair:0.4", seed=5).dtype == labels.dtype
    rolled = pd.Series(NAMES[[2, 0, 1] * 20], dtype=order)
    expected = make("pair:0.4", Y, num_classes=3, seed=5).noisy
    for series in (labels, rolled):
        assert nlbench.corrupt(series, "pair:0.4", seed=5).cat.codes.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (7, "labels of type int: should be a list"),
        ("0110", "labels of type str"),
        (pd.DataFrame({"y": Y}), "labels of type DataFrame"),
        ([], "there are none"),
        (np.array([], dtype=int), "there are none"),
        (pd.Series([], dtype=int), "there are none"),
        (np.eye(3), r"shape \(3, 3\).*argmax"),
        ([[0, 1], [1, 0]], "index 0 is a list.*argmax"),
        ([np.eye(2)[0]] * 4, "index 0 is a ndarray"),
        ([0, None, 1], "index 1 is missing"),
        ([0, 1, float("nan")], "index 2 is missing"),
        (np.array([0, np.nan, 1.0]), "nan at index 1 is no class"),
        (np.array(["a", None], dtype=object), "index 1 is missing"),
        (pd.Series([1, None, 2], index=["a", "b", "c"]), "index 'b' is missing"),
        (pd.Series(["x", None], dtype="category"), "index 1 is missing"),
        (pd.Series(["x"] * 3, dtype=pd.CategoricalDtype(["x", "z"])), "category 'z' has no sample"),
        ([0, 1, 0.3], "0.3 at index 2 is no class"),
        (torch.tensor([0.5, 1.0]), "0.5 at index 0 is no class"),
        (pd.Series([0.5, 1.0], index=[7, 8]), "0.5 at index 7 is no class"),
        ([0, "a"], "types int, str: should be of one"),
    ],
)
def test_labels_that_are_none_are_named(labels: Any, words: str) -> None:
    with pytest.raises(nlbench.UserError, match=words) as caught:
        nlbench.corrupt(labels, "symmetric:0.4")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"noise": "symetric:0.4"}, "did you mean 'symmetric'"),
        ({"noise": "symmetric:1.4"}, r"outside \[0, 1\)"),
        ({"noise": 0.4}, "is not a specification such as"),
        ({"seed": -1}, "seed -1"),
        ({"seed": "a"}, "seed 'a'"),
        ({"num_classes": 4}, "class 3 has no samples"),
        ({"num_classes": 2}, "2 is not one of 0 to 1"),
        ({"num_classes": 0}, "num_classes 0: should be"),
        ({"num_classes": 4, "labels": given("names")}, "3 classes, but num_classes is 4"),
        ({"noise": "instance:0.4"}, "needs pixels"),
        ({"noise": "instance:0.4", "features": np.zeros((5, 2))}, "5 rows of pixels for 60"),
        ({"noise": "instance:0.4", "features": [[1], [1, 2]]}, "rows of different lengths"),
        ({"noise": "instance:0.4", "features": {"pixel": [1]}}, "unknown kind 'pixel'"),
        ({"noise": "instance:0.4", "features": np.zeros((60, 8, 8, 3))}, "transpose"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(words: dict[str, Any], message: str) -> None:
    arguments = {"labels": Y, "noise": "symmetric:0.4", **words}
    with pytest.raises(ValueError, match=message) as caught:
        nlbench.corrupt(**arguments)
    assert "\n" not in str(caught.value)


def test_images_are_not_replaced_unseen() -> None:
    line = "openset:0.2:from=mnist"
    with pytest.raises(nlbench.UserError, match=r"replaces images.*details=True"):
        nlbench.corrupt(Y, line)
    noisy, facts = nlbench.corrupt(Y, line, details=True)
    assert (noisy == Y).all()
    assert "12 images replaced" in repr(facts)
