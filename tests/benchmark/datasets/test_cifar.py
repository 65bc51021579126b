from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torchvision

from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError

Files = dict[str, bytes]
RNG = np.random.Generator(np.random.Philox(key=0))
PIXELS = RNG.integers(0, 256, (12, 3072), dtype=np.uint8)


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def cifar10(monkeypatch: pytest.MonkeyPatch) -> Files:
    """Six small batches and their meta file; torchvision's md5 are made to fit them."""
    official = torchvision.datasets.CIFAR10
    files = {}
    for number, (name, _) in enumerate([*official.train_list, *official.test_list]):
        pixels, labels = PIXELS[2 * number : 2 * number + 2], [number % 5, number % 5 + 5]
        files[name] = pickle.dumps({"data": pixels, "labels": labels, "batch_label": name})
    files["batches.meta"] = pickle.dumps({"label_names": [f"class {k}" for k in range(10)]})
    return patch(monkeypatch, official, files)


@pytest.fixture
def cifar100(monkeypatch: pytest.MonkeyPatch) -> Files:
    names = [f"class {k}" for k in range(4)]
    train = {"data": PIXELS[:4], "fine_labels": [3, 0, 2, 1], "coarse_labels": [1, 0, 0, 1]}
    test = {"data": PIXELS[4:6], "fine_labels": [2, 3], "coarse_labels": [0, 1]}
    files = {
        "train": pickle.dumps(train),
        "test": pickle.dumps(test),
        "meta": pickle.dumps({"fine_label_names": names, "coarse_label_names": ["c0", "c1"]}),
    }
    return patch(monkeypatch, torchvision.datasets.CIFAR100, files)


def patch(monkeypatch: pytest.MonkeyPatch, official: Any, files: Files) -> Files:
    for part in ("train_list", "test_list"):
        fitting = [[name, md5(files[name])] for name, _ in getattr(official, part)]
        monkeypatch.setattr(official, part, fitting)
    meta = official.meta | {"md5": md5(files[official.meta["filename"]])}
    monkeypatch.setattr(official, "meta", meta)
    return files


def write_folder(place: Path, files: Files, base: str = "cifar-10-batches-py") -> None:
    (place / base).mkdir(parents=True)
    for name, content in files.items():
        (place / base / name).write_bytes(content)


def write_archive(place: Path, files: Files, base: str = "cifar-10-batches-py") -> None:
    place.mkdir(parents=True, exist_ok=True)
    with tarfile.open(place / "cifar-10-python.tar.gz", "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{base}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def check(data: datasets.Dataset) -> None:
    np.testing.assert_array_equal(data.x_train, PIXELS[:10].reshape(10, 3, 32, 32))
    np.testing.assert_array_equal(data.x_test, PIXELS[10:12].reshape(2, 3, 32, 32))
    assert data.y_train.tolist() == [0, 5, 1, 6, 2, 7, 3, 8, 4, 9]
    assert data.y_test.tolist() == [0, 5]
    assert data.class_names[3] == "class 3"
    assert (data.label, data.family) == ("CIFAR-10", "cifar10")


@pytest.mark.parametrize("place", ["", "cifar10", "cifar-10"])
def test_unpacked_folder(tmp_path: Path, cifar10: Files, place: str) -> None:
    write_folder(tmp_path / place, cifar10)
    check(datasets.load("cifar10", tmp_path))


@pytest.mark.parametrize("place", ["", "cifar10"])
def test_archive_is_read_where_it_lies(tmp_path: Path, cifar10: Files, place: str) -> None:
    write_archive(tmp_path / place, cifar10)
    check(datasets.load("cifar10", tmp_path))
    assert not (tmp_path / place / "cifar-10-batches-py").exists()


def test_torchvision_reads_the_same(tmp_path: Path, cifar10: Files) -> None:
    write_folder(tmp_path, cifar10)
    data = datasets.load("cifar10", tmp_path)
    theirs = torchvision.datasets.CIFAR10(str(tmp_path), train=True)
    np.testing.assert_array_equal(data.x_train.transpose(0, 2, 3, 1), theirs.data)
    assert data.y_train.tolist() == theirs.targets


def test_cifar100_takes_the_fine_labels(tmp_path: Path, cifar100: Files) -> None:
    write_folder(tmp_path / "cifar100", cifar100, "cifar-100-python")
    data = datasets.load("cifar100", tmp_path)
    assert data.y_train.tolist() == [3, 0, 2, 1]
    assert data.y_test.tolist() == [2, 3]
    assert data.class_names == ("class 0", "class 1", "class 2", "class 3")
    np.testing.assert_array_equal(data.x_train, PIXELS[:4].reshape(4, 3, 32, 32))


@pytest.mark.parametrize("write", [write_folder, write_archive])
def test_another_pickle_is_named_and_never_run(tmp_path: Path, cifar10: Files, write: Any) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    write(tmp_path, cifar10 | {"data_batch_3": pickle.dumps(Evil())})
    with pytest.raises(UserError, match=r"data_batch_3: damaged: md5 .* official one is"):
        datasets.load("cifar10", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_broken_archives_are_named(tmp_path: Path, cifar10: Files) -> None:
    write_archive(tmp_path, {k: v for k, v in cifar10.items() if k != "test_batch"})
    with pytest.raises(UserError, match="cifar-10-batches-py/test_batch is missing"):
        datasets.load("cifar10", tmp_path)
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(UserError, match="not a readable archive"):
        datasets.load("cifar10", tmp_path)


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_nothing_there_says_where_and_how(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        UserError, match=r"downloading is off; looked for .*put .*tar\.gz into"
    ) as e:
        datasets.load(name, tmp_path)
    assert str(tmp_path / name) in str(e.value)


def test_no_network_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(_: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torchvision.datasets.CIFAR10, "download", offline)
    with pytest.raises(UserError, match=r"could not be downloaded .*no route to host"):
        datasets.load("cifar10", tmp_path, download=True)


def test_a_root_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="could not be downloaded"):
        datasets.load("cifar10", tmp_path / "file" / "root", download=True)


def test_what_is_downloaded_is_read(
    tmp_path: Path, cifar10: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(self: torchvision.datasets.CIFAR10) -> None:
        write_folder(Path(self.root), cifar10)

    monkeypatch.setattr(torchvision.datasets.CIFAR10, "download", download)
    check(datasets.load("cifar10", tmp_path / "new", download=True))


def test_superclasses_of_cifar100(tmp_path: Path, cifar100: Files) -> None:
    write_folder(tmp_path, cifar100, "cifar-100-python")
    fine, coarse = (datasets.load(name, tmp_path) for name in ("cifar100", "cifar100_coarse"))
    np.testing.assert_array_equal(coarse.x_train, fine.x_train)
    assert coarse.y_train.tolist() == [1, 0, 0, 1]
    assert coarse.y_test.tolist() == [0, 1]
    assert coarse.class_names == ("c0", "c1")
    assert coarse.label == "CIFAR-100 (20 superclasses)"
