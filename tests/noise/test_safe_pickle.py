from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlbench.noise import NoiseError
from nlbench.noise.safe_pickle import read_pt


def pack(path: Path, content: object, name: str = "archive/data.pkl") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, pickle.dumps(content, protocol=2))
    return path


def test_arrays_and_lists_are_read(tmp_path: Path) -> None:
    wanted = {"clean_label": np.arange(7), "coarse": [1, 2, 3], "f": np.ones((2, 2), np.float32)}
    found = read_pt(pack(tmp_path / "a.pt", wanted))
    assert np.array_equal(found["clean_label"], np.arange(7))
    assert found["coarse"] == [1, 2, 3]
    assert found["f"].shape == (2, 2)


def test_human_labels_are_read(data_file: Callable[[str], Path]) -> None:
    labels = read_pt(data_file("cifar-n/CIFAR-10_human.pt"))
    clean = labels["clean_label"]
    rates = {name: round(100 * float(np.mean(labels[name] != clean)), 3) for name in labels}
    assert rates == {
        "clean_label": 0.0, "aggre_label": 9.01, "worse_label": 40.208,
        "random_label1": 17.234, "random_label2": 18.122, "random_label3": 17.64,
    }  # fmt: skip


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_foreign_code_is_refused_and_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "touched"
    path = pack(tmp_path / "a.pt", {"clean_label": Touch(trap)})
    with pytest.raises(NoiseError, match=r"refused: it names (posix|nt)\.mkdir"):
        read_pt(path)
    assert not trap.exists()


class Sub(np.ndarray):
    pass


class Encoded:
    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        import codecs

        return codecs.encode, ("text", "utf-16")


@pytest.mark.parametrize("content", [Sub(3), Encoded()])
def test_subclasses_and_other_codecs_are_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(NoiseError, match="refused"):
        read_pt(pack(tmp_path / "a.pt", {"x": content}))


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [([1, 2], "archive/data.pkl", "holds list"), ({}, "archive/other", "holds 0 pickles")],
)
def test_other_contents_are_refused(
    content: object, name: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(NoiseError, match=message):
        read_pt(pack(tmp_path / "a.pt", content, name))


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    with pytest.raises(NoiseError, match="no such file"):
        read_pt(tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(b"not a zip")
    with pytest.raises(NoiseError, match="refused"):
        read_pt(tmp_path / "b.pt")
    with zipfile.ZipFile(tmp_path / "c.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00broken")
    with pytest.raises(NoiseError, match="refused"):
        read_pt(tmp_path / "c.pt")
