from __future__ import annotations

import gzip
import hashlib
import os
import struct
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nlbench.benchmark import datasets
from nlbench.benchmark.datasets import idx, mnist
from nlbench.benchmark.datasets.base import channel_statistics
from nlbench.benchmark.errors import UserError

ROOT = Path(os.environ.get("NLBENCH_DATA", Path(__file__).parents[4] / "shared" / "data"))
STEMS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def encode(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def loaded(name: str) -> datasets.Dataset:
    try:
        return datasets.load(name, ROOT)
    except UserError as error:
        pytest.skip(str(error))


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=3)))
def test_parse_inverts_the_format(array: np.ndarray) -> None:
    np.testing.assert_array_equal(idx.parse(encode(array), array.ndim, "x"), array)


@given(st.integers(0, 25))
def test_a_cut_file_is_noticed(length: int) -> None:
    raw = encode(np.zeros((2, 7), np.uint8))[:length]
    with pytest.raises(UserError, match=r"^name: "):
        idx.parse(raw, 2, "name")


GOOD = encode(np.zeros((2, 3), np.uint8))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\1" + GOOD[1:], "not an idx file"),
        (GOOD[:2] + b"\x0d" + GOOD[3:], "idx type 0x0d; unsigned bytes"),
        (GOOD[:3] + b"\3" + GOOD[4:], "3 dimensions; 2 are needed"),
        (GOOD + b"x", r"7 bytes of data; shape \(2, 3\) needs 6"),
        (GOOD[:4] + b"\xff" * 8, r"0 bytes of data; shape \(4294967295, 4294967295\)"),
    ],
)
def test_bad_headers(raw: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        idx.parse(raw, 2, "name")


@pytest.mark.data
def test_mnist_is_the_official_one() -> None:
    data = loaded("mnist")
    assert data.x_train.shape == (60_000, 1, 28, 28)
    assert data.x_test.shape == (10_000, 1, 28, 28)
    assert data.y_train[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    assert data.y_test[:8].tolist() == [7, 2, 1, 0, 4, 1, 4, 9]
    mean, std = channel_statistics(data.x_train)
    assert (round(mean[0], 4), round(std[0], 4)) == (data.mean[0], data.std[0]) == (0.1307, 0.3081)


@pytest.mark.data
def test_fashion_mnist_is_the_official_one() -> None:
    data = loaded("fashion_mnist")
    assert data.x_train.shape == (60_000, 1, 28, 28)
    assert np.bincount(data.y_train).tolist() == [6000] * 10
    assert data.class_names == tuple(torchvision.datasets.FashionMNIST.classes)
    mean, std = channel_statistics(data.x_train)
    assert data.mean == pytest.approx(mean, rel=1e-12)
    assert data.std == pytest.approx(std, rel=1e-12)
    part = data.subset(1000)
    assert part.label == "Fashion-MNIST (1,000 per class)"
    assert np.bincount(part.y_train).tolist() == [1000] * 10


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A small data set in Fashion-MNIST's place: file name -> uncompressed bytes."""
    images = np.arange(20 * 784, dtype=np.uint32).astype(np.uint8).reshape(20, 28, 28)
    labels = np.arange(20, dtype=np.uint8) % 10
    contents = [encode(images), encode(labels), encode(images[:5]), encode(labels[:5])]
    sums = (md5(contents[0]), md5(contents[1]), md5(contents[2]), md5(contents[3]))
    small = replace(mnist.FASHION_MNIST, md5=sums, system_folders=())
    monkeypatch.setattr(mnist, "FASHION_MNIST", small)
    return dict(zip(STEMS, contents, strict=True))


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def write(folder: Path, files: dict[str, bytes], zipped: bool) -> None:
    folder.mkdir(parents=True)
    for stem, content in files.items():
        name, data = (f"{stem}.gz", gzip.compress(content)) if zipped else (stem, content)
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("folder", ["fashion-mnist", "FashionMNIST/raw"])
def test_files_in_the_data_root_are_used(
    tmp_path: Path, family: dict[str, bytes], folder: str, zipped: bool
) -> None:
    write(tmp_path / folder, family, zipped)
    data = datasets.load("fashion_mnist", tmp_path)
    assert data.y_train.tolist() == [k % 10 for k in range(20)]
    assert data.x_train[1, 0, 0, 0] == 784 % 256
    assert len(data.x_test) == 5


def test_system_folder_is_used(
    tmp_path: Path, family: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "debian", family, zipped=True)
    moved = replace(mnist.FASHION_MNIST, system_folders=(tmp_path / "debian",))
    monkeypatch.setattr(mnist, "FASHION_MNIST", moved)
    assert len(datasets.load("fashion_mnist", tmp_path / "empty").y_train) == 20


@pytest.mark.parametrize("zipped", [True, False])
def test_damage_is_named(tmp_path: Path, family: dict[str, bytes], zipped: bool) -> None:
    bad = bytearray(family[STEMS[2]])
    bad[-1] ^= 1
    write(tmp_path / "fashion-mnist", family | {STEMS[2]: bytes(bad)}, zipped)
    with pytest.raises(UserError, match=f"{STEMS[2]}.*damaged.*official one is"):
        datasets.load("fashion_mnist", tmp_path)


def test_a_broken_gzip_is_named(tmp_path: Path, family: dict[str, bytes]) -> None:
    write(tmp_path / "fashion-mnist", family, zipped=True)
    path = tmp_path / "fashion-mnist" / f"{STEMS[0]}.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=f"{STEMS[0]}.gz: cannot be read"):
        datasets.load("fashion_mnist", tmp_path)


@pytest.mark.usefixtures("family")
def test_nothing_there_says_where_and_how(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        datasets.load("fashion_mnist", tmp_path)
    message = str(caught.value)
    for part in ("downloading is off", str(tmp_path / "fashion-mnist"), "dataset-fashion-mnist"):
        assert part in message


@pytest.mark.usefixtures("family")
def test_no_network_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(_: object) -> None:
        raise URLError("no route\nto host")

    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "download", offline)
    with pytest.raises(UserError, match=r"could not be downloaded .*no route to host") as caught:
        datasets.load("fashion_mnist", tmp_path, download=True)
    assert "dataset-fashion-mnist" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_downloaded_is_read(
    tmp_path: Path, family: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(self: torchvision.datasets.FashionMNIST) -> None:
        folder = Path(self.raw_folder)
        if not folder.exists():
            write(folder, family, zipped=False)

    monkeypatch.setattr(torchvision.datasets.FashionMNIST, "download", download)
    data = datasets.load("fashion_mnist", tmp_path / "new" / "root", download=True)
    assert len(data.y_train) == 20
    monkeypatch.undo()
    assert (tmp_path / "new/root/FashionMNIST/raw" / STEMS[0]).is_file()
