from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError

LABELS = np.array([0, 1, 2, 0, 1, 2])


def save(folder: Path, **changes: Any) -> Path:
    """A valid file of six 4x5 grey images, changed as asked; None leaves an array out."""
    images = np.arange(120, dtype=np.uint8).reshape(6, 4, 5)
    valid = {"x_train": images, "y_train": LABELS, "x_test": images[:3], "y_test": LABELS[:3]}
    content: dict[str, Any] = valid | changes
    path = folder / "mine.npz"
    kept: dict[str, Any] = {name: array for name, array in content.items() if array is not None}
    np.savez(path, **kept)
    return path


def load(folder: Path, **changes: Any) -> datasets.Dataset:
    save(folder, **changes)
    return datasets.load("npz:mine", folder)


def test_by_name_and_by_path(tmp_path: Path) -> None:
    path = save(tmp_path, class_names=np.array(["cat", "dog", "eel"]))
    data = datasets.load("npz:mine", tmp_path)
    assert data.fingerprint == datasets.load(f"npz:{path}").fingerprint
    assert (data.name, data.label, data.family) == ("npz:mine", "mine", "npz")
    assert data.class_names == ("cat", "dog", "eel")
    assert data.in_shape == (1, 4, 5)
    np.testing.assert_array_equal(data.x_train[:, 0], np.arange(120).reshape(6, 4, 5))
    np.testing.assert_array_equal(data.y_train, LABELS)
    assert data.mean[0] == pytest.approx(np.arange(120).mean() / 255)


@pytest.mark.parametrize(
    ("given_shape", "wanted"),
    [
        ((6, 4, 5), (1, 4, 5)),
        ((6, 3, 4, 5), (3, 4, 5)),
        ((6, 4, 5, 3), (3, 4, 5)),
        ((6, 4, 5, 1), (1, 4, 5)),
        ((6, 3, 4, 3), (3, 4, 3)),
        ((6, 2, 4, 5), (2, 4, 5)),
        ((6, 7), (7, 1, 1)),
    ],
)
def test_layouts(
    tmp_path: Path, given_shape: tuple[int, ...], wanted: tuple[int, int, int]
) -> None:
    images = np.random.default_rng(0).integers(0, 256, given_shape, dtype=np.uint8)
    data = load(tmp_path, x_train=images, x_test=images[:3])
    assert data.in_shape == wanted
    last = len(given_shape) == 4 and wanted[0] == given_shape[3] and wanted[0] != given_shape[1]
    moved = np.moveaxis(images, -1, 1) if last else images.reshape(6, *wanted)
    np.testing.assert_array_equal(data.x_train, moved)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("scale", [1, 255])
def test_floats_on_the_8_bit_grid_become_bytes(tmp_path: Path, kind: str, scale: int) -> None:
    codes = np.resize(np.arange(256, dtype=np.uint8), (6, 16, 16))
    floats = (codes / scale).astype(kind)
    data = load(tmp_path, x_train=floats, x_test=floats[:3])
    assert data.x_train.dtype == data.x_test.dtype == np.uint8
    np.testing.assert_array_equal(data.x_train[:, 0], codes)


def test_zeros_and_ones_become_full_contrast(tmp_path: Path) -> None:
    images = (np.arange(120).reshape(6, 4, 5) % 2).astype(float)
    data = load(tmp_path, x_train=images, x_test=images[:3])
    np.testing.assert_array_equal(data.x_train[:, 0], images * 255)


@settings(max_examples=50, deadline=None)
@given(values=arrays.arrays(np.float32, (6, 3), elements=st.floats(-1e3, 1e3, width=32)))
def test_floats_keep_their_values(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray
) -> None:
    values[0, 0] = 0.12345  # on neither grid
    data = load(tmp_path_factory.mktemp("npz"), x_train=values, x_test=values[:3])
    assert data.x_train.dtype == np.float32
    np.testing.assert_array_equal(data.x_train[:, :, 0, 0], values)
    assert data.mean == pytest.approx(values.mean(0, dtype=float), rel=1e-9, abs=1e-9)


def test_one_part_off_the_grid_keeps_both_float(tmp_path: Path) -> None:
    on = np.zeros((6, 4), dtype=np.float32)
    data = load(tmp_path, x_train=on, x_test=on[:3] + 0.1)
    assert data.x_train.dtype == data.x_test.dtype == np.float32


BAD: list[tuple[dict[str, Any], str]] = [
    ({"x_test": None}, "x_test missing; it holds x_train, y_test, y_train"),
    ({"x_train": np.zeros(6, np.uint8)}, r"x_train has shape \(6,\)"),
    ({"x_test": np.zeros((3, 5, 5), np.uint8)}, r"x_train are \(1, 4, 5\), of x_test \(1, 5, 5\)"),
    ({"y_train": LABELS[:5]}, r"y_train has shape \(5,\).*\(6,\) is needed"),
    ({"y_train": LABELS.astype(float)}, "y_train is float64; integer labels"),
    ({"y_train": LABELS - 1}, r"y_train holds -1\.\.1; labels must lie in 0\.\.1"),
    ({"y_test": LABELS[:3] + 1}, r"y_test holds 1\.\.3; labels must lie in 0\.\.2"),
    ({"y_train": LABELS * 2, "y_test": LABELS[:3]}, r"class 1 \(1\) has no training sample"),
    ({"y_train": LABELS * 0}, "1 class; at least two"),
    ({"class_names": np.array(["a", "b"])}, r"y_train holds 0\.\.2; labels must lie in 0\.\.1"),
    ({"class_names": np.array(list("abcd"))}, r"class 3 \(d\) has no training sample"),
    ({"class_names": np.array(["a", "b", "a"])}, "class_names repeats"),
    ({"x_train": np.full((6, 4, 5), np.nan)}, "x_train holds pixels that are not finite"),
    ({"x_test": np.full((3, 4, 5), np.inf)}, "x_test holds pixels that are not finite"),
    ({"x_test": np.full((3, 4, 5), 1e300)}, "x_test holds pixels that are not finite"),
    ({"x_train": np.full((6, 4, 5), 300)}, r"integers 300\.\.300; integer pixels must lie in 0"),
    ({"x_train": np.full((6, 4, 5), -1)}, r"integers -1\.\.-1"),
    ({"x_train": np.full((6, 4, 5), "a")}, "x_train is <U1; numbers are needed"),
    ({"x_test": np.zeros((0, 4, 5), np.uint8), "y_test": LABELS[:0]}, "the test set is empty"),
    ({"x_train": np.zeros((0, 4, 5), np.uint8), "y_train": LABELS[:0]}, "0 class"),
    ({"y_train": LABELS.astype(object)}, "not an .npz file of plain arrays"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_bad_files_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        load(tmp_path, **changes)
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_archive(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file: .*absent\.npz"):
        datasets.load("npz:absent", tmp_path)
    path = tmp_path / "junk.npz"
    path.write_bytes(b"junk")
    with pytest.raises(UserError, match=r"not an \.npz file"):
        datasets.load("npz:junk", tmp_path)
    save(tmp_path)
    whole = (tmp_path / "mine.npz").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"not an \.npz file"):
        datasets.load("npz:junk", tmp_path)
    np.save(tmp_path / "one.npy", LABELS)
    (tmp_path / "one.npy").rename(path)
    with pytest.raises(UserError, match="a single array"):
        datasets.load("npz:junk", tmp_path)


def test_pickles_are_never_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    with pytest.raises(UserError, match=r"not an \.npz file"):
        load(tmp_path, y_test=np.array([Evil()] * 3, dtype=object))
    assert not (tmp_path / "ran").exists()
