"""Data sets that are unpacked once a machine: equal, shared, locked, and never trusted blindly."""

from __future__ import annotations

import json
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from nlbench.benchmark import datasets
from nlbench.benchmark.datasets import npz, unpacked
from nlbench.benchmark.datasets.base import Dataset
from nlbench.benchmark.datasets.registry import Source
from nlbench.benchmark.pipeline.in_memory import to_device
from nlbench.noise import generator


def write(path: Path, seed: int = 0, channels: int = 3, kind: type = np.uint8) -> None:
    draws = generator("test-unpacked", seed, channels)
    images: npt.NDArray[Any] = draws.integers(0, 256, (24, channels, 6, 5)).astype(kind)
    images[0] += kind(0.5)
    labels = np.arange(24) % 4
    np.savez_compressed(
        path, x_train=images[:16], y_train=labels[:16], x_test=images[16:], y_test=labels[16:]
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with mine.npz, and no cache but what is in it."""
    monkeypatch.setattr(unpacked, "LEAST", 0)
    monkeypatch.delenv("NLBENCH_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "mine.npz")
    return tmp_path / "data"


def direct(root: Path, name: str = "npz:mine") -> Dataset:
    return npz.load_npz(Source(name, name.partition(":")[2], root, False))


def folder(root: Path) -> Path:
    (found,) = (root / unpacked.IN_DATA).iterdir()
    return found


@pytest.mark.parametrize(("channels", "kind"), [(1, np.uint8), (3, np.uint8), (3, np.float32)])
def test_what_is_mapped_is_what_was_read(root: Path, channels: int, kind: type) -> None:
    write(root / "mine.npz", channels=channels, kind=kind)
    wanted = direct(root)
    for _ in range(2):  # unpacked, then found
        found = datasets.load("npz:mine", root)
        assert found.fingerprint == wanted.fingerprint
        for name in ("x_train", "y_train", "x_test", "y_test"):
            one, other = getattr(found, name), getattr(wanted, name)
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
        for name in ("family", "label", "class_names", "mean", "std", "given_labels", "name"):
            assert getattr(found, name) == getattr(wanted, name)
        assert not found.x_train.flags.writeable


def test_it_is_unpacked_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = datasets.load("npz:mine", root).fingerprint
    monkeypatch.setattr(npz, "_read", lambda _: pytest.fail("read again"))
    assert datasets.load("npz:mine", root).fingerprint == first


def test_a_changed_file_is_unpacked_again_in_the_same_place(root: Path) -> None:
    first = datasets.load("npz:mine", root)
    place = folder(root)
    before = first.fingerprint
    write(root / "mine.npz", seed=1)
    second = datasets.load("npz:mine", root)
    assert second.fingerprint == direct(root).fingerprint != before
    assert folder(root) == place
    assert replace(first).fingerprint == before  # who mapped the old arrays has them still


@pytest.mark.parametrize("file", ["x_train.npy", "y_test.npy", "facts.json"])
@pytest.mark.parametrize("damage", ["a flipped bit", "half a file", "another file", "gone"])
def test_damage_is_said_and_unpacked_again(root: Path, file: str, damage: str) -> None:
    first = datasets.load("npz:mine", root).fingerprint
    path = folder(root) / file
    raw = bytearray(path.read_bytes())
    if damage == "a flipped bit":
        raw[-1] ^= 1
    path.unlink()
    if damage != "gone":
        parts = {"half a file": bytes(raw[: len(raw) // 2]), "another file": b"junk"}
        path.write_bytes(parts.get(damage, bytes(raw)))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert datasets.load("npz:mine", root).fingerprint == first
    silent = file == "facts.json" and damage == "gone"  # as if nothing had been unpacked
    assert any("unpacked again" in str(line.message) for line in said) != silent
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert datasets.load("npz:mine", root).fingerprint == first


def test_two_unpackers_at_once_read_it_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    read = npz._read

    def slowly(path: Path) -> dict[str, Any]:
        calls.append(1)
        time.sleep(0.2)
        return read(path)

    monkeypatch.setattr(npz, "_read", slowly)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(datasets.load("npz:mine", root).fingerprint))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 3
    assert len(calls) == 1


def test_a_data_folder_that_cannot_be_written_leaves_it_to_the_users_own_cache(
    root: Path, tmp_path: Path
) -> None:
    (root / unpacked.IN_DATA).write_text("in the way")  # root may write to any folder
    first = datasets.load("npz:mine", root).fingerprint
    assert first == direct(root).fingerprint
    own = tmp_path / "home" / ".cache" / "nlbench" / "unpacked"
    assert [p.name for p in own.glob("*/facts.json")] == ["facts.json"]
    (tmp_path / "home").rename(tmp_path / "away")
    (tmp_path / "home").write_text("in the way")
    with pytest.warns(UserWarning, match=r"each process holds it.*nlbench-unpacked"):
        assert datasets.load("npz:mine", root).fingerprint == first


def test_the_variable_places_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NLBENCH_CACHE", str(tmp_path / "elsewhere"))
    datasets.load("npz:mine", root)
    assert not (root / unpacked.IN_DATA).exists()
    (facts,) = (tmp_path / "elsewhere").rglob("facts.json")
    assert json.loads(facts.read_text())["files"][0][0] == "mine.npz"


def test_small_files_are_read_by_each_process(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "LEAST", 2**20)
    datasets.load("npz:mine", root)
    assert not (root / unpacked.IN_DATA).exists()


def test_tensors_on_a_cpu_are_the_mapped_arrays_themselves(root: Path) -> None:
    found, wanted = datasets.load("npz:mine", root), direct(root)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = to_device(found.x_train, torch.device("cpu"))
    assert tensor.data_ptr() == found.x_train.ctypes.data
    assert tensor.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(tensor, torch.tensor(wanted.x_train))
    copied = to_device(wanted.x_train, torch.device("cpu"))
    assert copied.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(copied, tensor)
