"""Unknown classes and foreign data sets: the line, the class splits, what becomes of the images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlbench.benchmark.datasets import load
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.pipeline.select import host, original_index, unknown_images
from nlbench.benchmark.runs import plan
from nlbench.benchmark.spec.open_set import SPLITS, Unknown
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.benchmark.suites import suite

DIGITS = """
methods = ["ce"]
noise = ["symmetric:0.2"]
seeds = 7
model = "mlp"
[dataset]
name = "digits"
unknown = "{unknown}"
[recipe]
epochs = 1
"""


@given(classes=st.integers(1, 20), split=st.integers(0, 9), extra=st.integers(2, 20))
def test_a_split_partitions_the_classes_and_larger_ones_contain_it(
    classes: int, split: int, extra: int
) -> None:
    total = classes + extra
    known = Unknown(classes, split).known(total)
    assert list(known) == sorted(set(known))
    assert set(known) <= set(range(total))
    assert len(known) == extra
    if classes > 1:
        assert set(known) < set(Unknown(classes - 1, split).known(total))


def test_every_class_is_unknown_about_as_often_as_any_other() -> None:
    left_out = np.zeros(10)
    for split in range(2000):
        left_out[[k for k in range(10) if k not in Unknown(4, split).known(10)]] += 1
    # Binomial(2000, 0.4): sd 22; five of them.
    assert np.abs(left_out - 800).max() < 110


@pytest.mark.parametrize(
    "line", ["classes:4", "classes:4:split=2", "foreign:mnist", "foreign:npz:a", "foreign:images:a"]
)
def test_lines_read_back_as_they_are_written(line: str) -> None:
    assert str(Unknown.parse(line)) == line
    assert DatasetSpec("digits", unknown=line).unknown == line


@pytest.mark.parametrize(
    "line",
    [
        "",
        "4",
        "classes",
        "classes:0",
        "classes:-1",
        "classes:4:seed=1",
        "foreign:",
        "mnist",
        "foreign:images:",
    ],
)
def test_other_lines_are_refused_with_the_right_ones(line: str) -> None:
    with pytest.raises(UserError, match=r'unknown = .*"classes:4"'):
        DatasetSpec("digits", unknown=line)


def test_a_seed_settles_the_split_and_the_declaration_names_the_group() -> None:
    specs = suite.parse(DIGITS.format(unknown="classes:4"), "mine", "mine.toml").specs
    assert [s.dataset.unknown for s in specs] == [f"classes:4:split={s % SPLITS}" for s in range(7)]
    assert {s.dataset.group for s in specs} == {"digits, unknown classes:4"}
    assert "unknown" not in DatasetSpec("digits").to_dict()


def test_only_known_classes_are_trained_and_tested_on() -> None:
    full, spec = load("digits"), DatasetSpec("digits", 30, unknown="classes:4:split=3")
    known = Unknown(4, 3).known(10)
    part = host(spec, None)
    index = original_index(spec, None)
    assert index is not None
    assert np.array_equal(part.x_train, full.x_train[index])
    assert np.array_equal(np.array(known)[part.y_train], full.y_train[index])
    assert part.class_names == tuple(full.class_names[k] for k in known)
    assert (part.mean, part.std) == (full.mean, full.std)
    foreign = unknown_images(spec, None)
    assert foreign is not None
    assert len(foreign) + len(part.x_test) == len(full.x_test)
    assert np.array_equal(foreign, full.x_test[~np.isin(full.y_test, known)])
    labels = draw_labels("symmetric:0.5", spec, 0, None)
    assert labels.noisy.max() < 6
    assert len(labels.noisy) == 180


def test_what_does_not_fit_is_refused_before_anything_is_trained() -> None:
    with pytest.raises(UserError, match="leaves 1 of 10 classes known"):
        host(DatasetSpec("digits", unknown="classes:9:split=0"), None)
    with pytest.raises(UserError, match=r"unknown data set 'mnits'.*mnist"):
        suite.parse(DIGITS.format(unknown="foreign:mnits"), "mine", "mine.toml")
    specs = suite.parse(DIGITS.format(unknown="foreign:fashion_mnist"), "mine", "mine.toml").specs
    try:
        load("fashion_mnist")
    except UserError as error:
        pytest.skip(str(error))
    with pytest.raises(UserError, match="1 x 28 x 28 and do not fit into 1 x 8 x 8"):
        plan.check(specs, None, torch.device("cpu"))
