from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from nlbench.benchmark import datasets
from nlbench.benchmark.datasets import cifar_jpeg, unpacked
from nlbench.benchmark.errors import UserError

ROOT = Path(os.environ.get("NLBENCH_DATA", Path(__file__).parents[4] / "shared" / "data"))
PACK = ROOT / cifar_jpeg.PACK


def encode(seed: int) -> tuple[bytes, bytes]:
    """Header (all tables) and body (from the start of scan) of one small colour JPEG."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    pixels = np.kron(rng.integers(0, 256, (4, 4, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=75)
    raw = stream.getvalue()
    cut = raw.index(b"\xff\xda")
    return raw[:cut], raw[cut:]


def decoded(seed: int) -> npt.NDArray[np.uint8]:
    header, body = encode(seed)
    return np.asarray(Image.open(io.BytesIO(header + body))).transpose(2, 0, 1)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with a pack of 12 + 4 images, and a cache folder of its own."""
    monkeypatch.setattr(cifar_jpeg, "_TRAIN", 12)
    monkeypatch.setattr(cifar_jpeg, "_SHAPE", (16, 3, 32, 32))
    monkeypatch.setattr(cifar_jpeg, "_CHUNK", 5)
    monkeypatch.setenv("NLBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(unpacked, "LEAST", 0)
    content: dict[str, Any] = {"header": np.frombuffer(encode(0)[0], np.uint8)}
    for part, seeds in (("train", range(12)), ("test", range(12, 16))):
        bodies = [encode(seed)[1] for seed in seeds]
        assert all(encode(seed)[0] == encode(0)[0] for seed in seeds)
        content[f"{part}_jpeg"] = np.frombuffer(b"".join(bodies), np.uint8)
        ends = np.cumsum([0, *map(len, bodies)])
        content[f"{part}_offset"] = ends.astype(np.uint32)
        content[f"{part}_label"] = np.array(seeds, np.uint8) % 10
    content["class_names"] = np.array([f"class {k}" for k in range(10)])
    np.savez(tmp_path / cifar_jpeg.PACK, **content)
    return tmp_path


def test_pixels_labels_and_label_of_the_data_set(root: Path) -> None:
    data = datasets.load("cifar10_jpeg", root)
    wanted = np.stack([decoded(seed) for seed in range(16)])
    np.testing.assert_array_equal(np.concatenate([data.x_train, data.x_test]), wanted)
    assert data.y_train.tolist() == [k % 10 for k in range(12)]
    assert data.y_test.tolist() == [2, 3, 4, 5]
    assert (data.label, data.family) == ("CIFAR-10 (JPEG q75)", "cifar10")
    assert data.name == "cifar10_jpeg"


def test_decoded_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = datasets.load("cifar10_jpeg", root).fingerprint

    def fail(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(cifar_jpeg, "_decode", fail)
    assert datasets.load("cifar10_jpeg", root).fingerprint == first


def test_missing_and_foreign_packs_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"looked for .*cifar10-jpeg\.npz; it cannot be downloaded"):
        datasets.load("cifar10_jpeg", tmp_path)
    np.savez(tmp_path / cifar_jpeg.PACK, x=np.zeros(3))
    with pytest.raises(UserError, match="not the packed JPEG copy"):
        datasets.load("cifar10_jpeg", tmp_path)
    (tmp_path / cifar_jpeg.PACK).write_bytes(b"junk")
    with pytest.raises(UserError, match="not the packed JPEG copy"):
        datasets.load("cifar10_jpeg", tmp_path)


@pytest.mark.data
@pytest.mark.skipif(not PACK.is_file(), reason=f"needs {cifar_jpeg.PACK} in the data root")
def test_the_real_pack_has_the_official_labels() -> None:
    pack = cifar_jpeg._read_pack(PACK)
    assert np.bincount(pack.y_train).tolist() == [5000] * 10
    assert pack.y_train[:6].tolist() == [6, 9, 9, 4, 1, 1]
    assert pack.y_test[:6].tolist() == [3, 8, 8, 0, 6, 6]
    assert pack.class_names[3] == "cat"
    published = ROOT / "published-noise" / "cifar10-idn-chen2021-0.2.csv"
    if published.is_file():
        with published.open() as stream:
            labels = [int(row["label"]) for row in csv.DictReader(stream)]
        assert pack.y_train.tolist() == labels


@pytest.mark.data
@pytest.mark.skipif(not PACK.is_file(), reason=f"needs {cifar_jpeg.PACK} in the data root")
def test_the_real_pixels_are_near_the_official_ones() -> None:
    pack = cifar_jpeg._read_pack(PACK)
    corners = {  # first pixels of the first row, as the official files have them
        pack.train: [[59, 62, 63], [43, 46, 45], [50, 48, 43]],
        pack.test: [[158, 112, 49]],
    }
    for streams, official in corners.items():
        found = streams.decode(0, 1)[0, :, 0, : len(official)].T.astype(int)
        assert np.abs(found - official).max() <= 12
    images = pack.test.decode(9_980, 10_000)
    assert images.shape == (20, 3, 32, 32)
    assert len({image.tobytes() for image in images}) == 20
