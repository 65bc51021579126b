"""``nlbench suspicious`` and ``nlbench.suspicious``: files, table, messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import nlbench
from nlbench.benchmark import datasets
from nlbench.cli.main import main
from tests.helpers import image_trees as trees

QUICK = ["--methods", "ce", "--folds", "2", "--epochs", "1", "--device", "cpu"]


def points() -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(60) % 3
    noise = np.random.Generator(np.random.Philox(key=1)).normal(size=(60, 4))
    return noise + 6 * np.eye(3, 4)[labels], labels


def test_a_folder_becomes_a_table_a_sheet_and_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.folder(tmp_path)
    (tmp_path / "mine/train/ant").rename(tmp_path / "mine/train/=1+1|$x$")
    monkeypatch.chdir(tmp_path)
    assert main(["suspicious", "mine", *QUICK]) == 0
    captured = capsys.readouterr()
    assert "12 images of 3 x 40 x 40, 3 classes with 4" in captured.err
    assert "of 12 labels look wrong" in captured.out
    out = tmp_path / "results/reports/suspicious-mine"
    table = pd.read_csv(out / "suspicious.csv")
    assert list(table) == ["sample", "file", "given", "guess", "score", "flagged", "agree"]
    assert sorted(table["sample"]) == list(range(12))
    assert table["score"].is_monotonic_decreasing
    assert all(
        (tmp_path / "mine/train" / name.removeprefix("'")).is_file() for name in table["file"]
    )
    assert set(table["given"]) == {"'=1+1|$x$", "bee", "cow"}
    with Image.open(out / "contact_sheet.png") as image:
        assert image.size[0] == 1650
    page = (out / "index.md").read_text()
    assert "![the most suspicious images](contact_sheet.png)" in page
    assert "Northcutt" in page
    assert "nlbench suspicious mine" in page
    first = (out / "suspicious.csv").read_bytes()
    assert main(["suspicious", "mine", *QUICK]) == 0
    assert "fold" not in capsys.readouterr().err
    assert (out / "suspicious.csv").read_bytes() == first


def test_known_truth_is_measured_and_probabilities_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--noise", "symmetric:0.2", "--train-per-class", "8", "--keep-probabilities"]
    out = tmp_path / "out"
    assert main(["suspicious", "digits", *QUICK, *more, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Wrong by the true labels (symmetric:0.2): 16." in said
    assert "AUROC" in said
    table = pd.read_csv(out / "suspicious.csv").sort_values("sample")
    kept = np.load(out / "probabilities.npz")
    assert kept["sample"].tolist() == table["sample"].tolist()
    true = datasets.load("digits").y_train[kept["sample"]]
    assert true.tolist() == table["true"].tolist()
    assert kept["probabilities"].shape == (1, 80, 10)
    assert (table["true"] != table["given"]).sum() == 16
    rows = np.arange(80)
    given = kept["probabilities"][0, rows, kept["given"]]
    assert np.allclose(1 - given, table["score"], atol=2e-6)
    assert np.ptp(np.bincount(kept["fold"])) <= 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere"], "data set 'nowhere'"),
        (["digits", "--methods", "gcee"], "did you mean"),
        (["digits", "--methods", ","], "names no method"),
        (["digits", "--model", "cnm8"], "model 'cnm8'"),
        (["digits", "--folds", "1"], "from 2"),
        (["digits", "--lr", "0"], "lr = 0.0 must be above 0"),
        (["digits", "--noise", "symetric:0.2"], "symetric"),
        (["digits", "--train-per-class", "1"], "class '0' has 1 samples"),
    ],
)
def test_bad_words_are_one_line(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suspicious", *words, "--device", "cpu", "--out", str(tmp_path / "o")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert says in lines[-1]
    assert all("classes with" in line for line in lines[:-1])


def test_labels_of_any_kind_are_judged() -> None:
    rows, labels = points()
    names = np.array(["cat", "dog", "owl"])
    given = labels.copy()
    given[5] = (given[5] + 1) % 3
    options: dict[str, Any] = {"methods": "ce", "device": "cpu", "epochs": 5}
    found = nlbench.suspicious(rows, given, **options)
    assert found.iloc[0].tolist()[:3] == [5, given[5], labels[5]]
    assert found["given"].dtype == np.int64
    frame = pd.DataFrame(rows, columns=list("abcd"), index=range(100, 160))
    series = pd.Series(names[given], index=frame.index)
    named = nlbench.suspicious(frame, series, **options)
    assert named.index[0] == 105
    assert named.iloc[0][["given", "guess"]].tolist() == [names[given[5]], names[labels[5]]]
    tensors = nlbench.suspicious(torch.tensor(rows), torch.tensor(given), **options)
    assert tensors["score"].tolist() == found["score"].tolist() == named["score"].tolist()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x, y: (x[:-1], y), "60 labels for 59 images"),
        (lambda x, y: (x, y * 0), "labels: all are 0; at least two classes"),
        (lambda x, y: (np.where(x > 5, np.nan, x), y), "not finite"),
        (lambda x, y: (pd.DataFrame(x).astype({1: str}), y), "column 1 is str"),
        (lambda x, y: (pd.DataFrame(np.where(x > 8, np.nan, x)), y), "1 values of 1 are missing"),
        (lambda x, y: (x[0, 0], y), r"images has shape \(\)"),
        (lambda _x, _y: ([], []), "there are none"),
    ],
)
def test_bad_arrays_are_one_line(change: object, says: str) -> None:
    images, labels = change(*points())  # type: ignore[operator]
    with pytest.raises(nlbench.UserError, match=says):
        nlbench.suspicious(images, labels, methods="ce", device="cpu")
