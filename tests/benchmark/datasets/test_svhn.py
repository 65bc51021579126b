"""SVHN from small .mat files in the official layout, against torchvision's own reader."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from torchvision.datasets import SVHN

from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError

RNG = np.random.Generator(np.random.Philox(key=8))
LABELS = {"train": np.array([*range(1, 11), 10, 3]), "test": np.array([10, 1, 9])}


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both files, class 10 for the digit 0, and torchvision's md5 made to fit them."""
    place = tmp_path / "files"
    place.mkdir()
    splits = {}
    for split, labels in LABELS.items():
        url, name, _ = SVHN.split_list[split]
        pixels = RNG.integers(0, 256, (32, 32, 3, len(labels)), dtype=np.uint8)
        savemat(place / name, {"X": pixels, "y": labels[:, None].astype(np.uint8)})
        digest = hashlib.md5((place / name).read_bytes(), usedforsecurity=False).hexdigest()
        splits[split] = [url, name, digest]
    monkeypatch.setattr(SVHN, "split_list", splits)
    return place


@pytest.mark.parametrize("below", ["", "svhn", "SVHN"])
def test_equals_torchvision(folder: Path, tmp_path: Path, below: str) -> None:
    root = tmp_path / "root"
    (root / below).mkdir(parents=True)
    for file in folder.iterdir():
        file.rename(root / below / file.name)
    data = datasets.load("svhn", root)
    for split, x, y in (
        ("train", data.x_train, data.y_train),
        ("test", data.x_test, data.y_test),
    ):
        official = SVHN(str(root / below), split=split)
        np.testing.assert_array_equal(x, official.data)
        np.testing.assert_array_equal(y, official.labels)
    assert data.y_test.tolist() == [0, 1, 9]
    pixels = data.x_train.astype(np.float64) / 255
    np.testing.assert_allclose(data.mean, pixels.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(data.std, pixels.std(axis=(0, 2, 3)), rtol=1e-9)


def test_a_damaged_file_is_refused_before_it_is_parsed(folder: Path) -> None:
    path = folder / "test_32x32.mat"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match=r"test_32x32\.mat: damaged: md5 .* official one is"):
        datasets.load("svhn", folder)


def test_one_file_is_not_enough(folder: Path) -> None:
    (folder / "train_32x32.mat").unlink()
    with pytest.raises(UserError, match=r"'svhn' is not there .* train_32x32\.mat and test_32x32"):
        datasets.load("svhn", folder)


def test_a_download_goes_through_torchvision(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(self: SVHN) -> None:
        (Path(self.root) / self.filename).write_bytes((folder / self.filename).read_bytes())

    monkeypatch.setattr(SVHN, "download", fetched)
    data = datasets.load("svhn", tmp_path / "new", download=True)
    assert (len(data.y_train), len(data.y_test)) == (12, 3)
