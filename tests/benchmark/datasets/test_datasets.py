from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from hypothesis import given, settings
from hypothesis import strategies as st

from nlbench.benchmark import datasets
from nlbench.benchmark.datasets.base import Dataset, Pixels, channel_statistics
from nlbench.benchmark.errors import UserError, unknown


def tiny(labels: list[int], classes: int = 3, name: str = "tiny") -> Dataset:
    """Image i is filled with the value i, so that one sees which images are kept."""
    count = len(labels)
    images = np.repeat(np.arange(count, dtype=np.uint8), 4).reshape(count, 1, 2, 2)
    return Dataset(
        name=name,
        family="tiny",
        label="Tiny",
        class_names=tuple("abcdefgh"[:classes]),
        x_train=images,
        y_train=np.array(labels, dtype=np.int64),
        x_test=images[:1],
        y_test=np.zeros(1, dtype=np.int64),
        mean=(0.5,),
        std=(0.25,),
    )


def test_digits_are_those_of_scikit_learn() -> None:
    data = datasets.load("digits")
    bunch = sklearn.datasets.load_digits()
    images = np.concatenate([data.x_train, data.x_test])[:, 0]
    np.testing.assert_array_equal(np.rint(images * (16 / 255)), bunch.images)
    assert {(v, int(p)) for v, p in zip(bunch.images.ravel(), images.ravel(), strict=True)} == {
        (v, int(np.floor(255 * v / 16 + 0.5))) for v in range(17)
    }
    np.testing.assert_array_equal(np.concatenate([data.y_train, data.y_test]), bunch.target)
    assert (len(data.y_train), len(data.y_test)) == (1000, 797)
    assert data.in_shape == (1, 8, 8)
    assert data.mean[0] == pytest.approx((data.x_train / 255).mean(), rel=1e-12)
    assert data.std[0] == pytest.approx((data.x_train / 255).std(), rel=1e-12)


def test_golden_digits() -> None:
    """The data behind every published run on digits: it must not change unnoticed."""
    assert datasets.load("digits").fingerprint == (
        "5bf1d81ad019dd451735b53df09b78a0488e4d03e855c1443ecd9e2566dcd81f"
    )


def test_fingerprint_is_stated() -> None:
    data = tiny([0, 1, 2, 0])
    text = b"nlbench-dataset-1 3"
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        text += f" {array.dtype.str}{array.shape}".encode() + array.tobytes()
    assert data.fingerprint == hashlib.sha256(text).hexdigest()


def test_fingerprint_sees_labels_pixels_and_classes() -> None:
    prints = {
        tiny([0, 1, 2, 0]).fingerprint,
        tiny([0, 1, 2, 1]).fingerprint,
        tiny([0, 1, 2, 0], classes=3).subset(1).fingerprint,
    }
    assert len(prints) == 3
    assert tiny([0, 1, 2, 0]).fingerprint == tiny([0, 1, 2, 0], name="other").fingerprint


@settings(max_examples=50, deadline=None)
@given(
    labels=st.lists(st.integers(0, 2), min_size=3, max_size=60).filter(lambda y: len(set(y)) == 3),
    count=st.integers(1, 25),
)
def test_subset_keeps_the_first_of_each_class(labels: list[int], count: int) -> None:
    data = tiny(labels)
    if min(labels.count(k) for k in range(3)) < count:
        with pytest.raises(UserError, match=r"train_per_class = \d+ of data set 'tiny': class"):
            data.subset(count)
        return
    seen = [0, 0, 0]
    kept = []
    for position, label in enumerate(labels):
        if seen[label] < count:
            kept.append(position)
        seen[label] += 1
    part = data.subset(count)
    assert part.x_train[:, 0, 0, 0].tolist() == kept
    assert part.y_train.tolist() == [labels[i] for i in kept]
    assert part.label == f"Tiny ({count} per class)"
    assert (part.mean, part.num_classes, part.family) == (data.mean, 3, "tiny")


def test_subset_says_so_in_words() -> None:
    data = datasets.load("digits")
    assert data.subset(None) is data
    assert data.subset(10).label == "Digits 8x8 (10 per class)"
    with pytest.raises(UserError, match="must be at least 1"):
        data.subset(0)


def test_arrays_cannot_be_changed() -> None:
    data = datasets.load("digits")
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("unit", [255, 1])
def test_statistics_against_numpy(unit: int) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (5000, 2, 3, 3), dtype=np.uint8)
    codes[:, 1] = 7
    images: Pixels = codes if unit == 255 else codes.astype(np.float32)
    mean, std = channel_statistics(images)
    assert mean == pytest.approx([images[:, 0].mean(dtype=float) / unit, 7 / unit], rel=1e-12)
    assert std == pytest.approx([images[:, 0].std(dtype=float) / unit, 1.0], rel=1e-9)


def test_registry() -> None:
    wanted = {"digits", "mnist", "fashion_mnist", "cifar10", "cifar100", "cifar10_jpeg", "npz"}
    assert wanted <= set(datasets.names())
    assert tuple(entry.name for entry in datasets.info()) == datasets.names()
    entry = next(entry for entry in datasets.info() if entry.name == "digits")
    data = datasets.load("digits")
    assert (entry.label, entry.family, entry.num_classes) == (data.label, data.family, 10)
    assert (entry.shape, entry.train, entry.test) == (data.in_shape, 1000, 797)
    assert [datasets.family(n) for n in ("cifar10_jpeg", "npz:x")] == ["cifar10", "npz"]


def test_names_that_cannot_be_loaded() -> None:
    with pytest.raises(
        UserError, match=r"unknown data set 'mnits' in q\.toml; did you mean 'mnist'"
    ):
        datasets.check_name("mnits", "q.toml")
    with pytest.raises(UserError, match=r"'npz' in q\.toml needs a name: npz:NAME"):
        datasets.check_name("npz", "q.toml")
    with pytest.raises(UserError, match="takes nothing after a colon"):
        datasets.load("digits:8")


def test_default_root_is_moved_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NLBENCH_DATA", str(tmp_path))
    assert datasets.default_root() == tmp_path
    monkeypatch.delenv("NLBENCH_DATA")
    monkeypatch.setenv("HOME", str(tmp_path / "someone"))
    assert datasets.default_root() == tmp_path / "someone" / ".cache" / "nlbench" / "data"


def test_unknown_names_the_place_and_the_nearest() -> None:
    error = unknown("method", "gcee", ["ce", "gce", "drainage"], "a.toml")
    assert str(error) == (
        "unknown method 'gcee' in a.toml; did you mean 'gce'? (known: ce, drainage, gce)"
    )
    assert str(unknown("method", "zzzz\n", [])) == r"unknown method 'zzzz\n' (known: none)"
