"""One's own tables, adapters to other libraries, and the report of what was read."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torchvision

from nlbench.benchmark import datasets
from nlbench.benchmark.datasets import Dataset
from nlbench.benchmark.datasets.describe import describe, oddities
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.suites import suite
from nlbench.benchmark.suspicious.samples import read
from nlbench.cli.main import main

NAMES = np.array(["ant", "bee", "cow"])


def people(rows: int = 60) -> pd.DataFrame:
    labels = np.arange(rows) % 3
    noise = np.random.Generator(np.random.Philox(key=1)).normal(size=(rows, 3))
    points = noise + 5 * np.eye(3)[labels]
    columns = {"born": points[:, 0] + 1.7e9, "height": points[:, 1], "money": 1e6 * points[:, 2]}
    return pd.DataFrame({**columns, "kind": NAMES[labels]})


def table(folder: Path, frame: pd.DataFrame, rest: str = ":label=kind") -> Dataset:
    frame.to_csv(folder / "people.csv", index=False)
    return datasets.load(f"table:people.csv{rest}", folder)


def test_columns_are_standardised_on_the_training_rows(tmp_path: Path) -> None:
    frame = people()
    found = table(tmp_path, frame)
    assert found.class_names == ("ant", "bee", "cow")
    assert np.bincount(found.y_test).tolist() == [4, 4, 4]
    assert found.x_train.shape == (48, 3, 1, 1)
    assert found.x_train.dtype == np.float32
    numbers = found.x_train[:, :, 0, 0].astype(np.float64)
    assert np.abs(numbers.mean(axis=0)).max() < 1e-6
    assert np.abs(numbers.std(axis=0) - 1).max() < 1e-6
    # All rows are there once, in their order; those for testing are scaled by the training rows.
    raw = frame["height"].to_numpy()
    heights = np.concatenate([found.x_train[:, 1, 0, 0], found.x_test[:, 1, 0, 0]])
    scale = np.polyfit(np.sort(heights), np.sort(raw), 1)
    assert np.abs(np.polyval(scale, np.sort(heights)) - np.sort(raw)).max() < 1e-5
    assert found.fingerprint == table(tmp_path, frame).fingerprint


def test_a_test_table_is_scaled_like_the_training_rows(tmp_path: Path) -> None:
    people(9).to_csv(tmp_path / "later.csv", index=False)
    frame = people()
    found = table(tmp_path, frame, f":label=kind:test={tmp_path / 'later.csv'}")
    assert (len(found.x_train), len(found.x_test)) == (60, 9)
    column = frame["money"]
    expected = (people(9)["money"] - column.mean()) / column.std(ddof=0)
    assert np.allclose(found.x_test[:, 2, 0, 0], expected, atol=1e-5)


def test_a_suite_names_the_label_column_and_trains_mlp(tmp_path: Path) -> None:
    table(tmp_path, people())
    own = suite.parse(
        'methods = ["ce"]\nnoise = ["given"]\nseeds = 1\n'
        'dataset = { name = "table:people.csv:label=kind" }\n'
        "recipe = { epochs = 20, batch_size = 16, lr = 0.05 }\n",
        "mine",
        "mine.toml",
    )
    (spec,) = own.specs
    assert spec.model == "mlp"
    record = train(spec, Context(tmp_path, "cpu", 1, {"nlbench": "test"}))
    assert record.status == "ok", record.error
    assert record.metrics["last"] == 1
    assert record.noise["details"]["truth"] == "unknown"


def test_every_row_of_a_table_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    monkeypatch.chdir(tmp_path)
    for name in ("people.csv:label=kind", "table:people.csv:label=kind"):
        samples = read(name)
        assert samples.given.tolist() == (np.arange(60) % 3).tolist()
        assert not samples.pictures
    assert read(name, train_per_class=2).numbers.tolist() == [0, 1, 2, 3, 4, 5]
    words = ["--methods", "ce", "--epochs", "15", "--device", "cpu", "--out", "out"]
    assert main(["suspicious", "people.csv:label=kind", *words]) == 0
    assert sorted(p.name for p in Path("out").glob("*.*")) == ["index.md", "suspicious.csv"]


def changed(**columns: Any) -> pd.DataFrame:
    return people().assign(**columns)


@pytest.mark.parametrize(
    ("frame", "rest", "says"),
    [
        (people(), "", "unknown column 'label' in .*people.csv.*label=COLUMN"),
        (people(), ":label=kin", "unknown column 'kin' .*did you mean 'kind'"),
        (people(), ":lable=kind", "unknown option 'lable'.*did you mean 'label'"),
        (people(), ":label=", "label= needs a value"),
        (people(), ":label=kind:test=no.csv", "no such file: .*no.csv"),
        (people().iloc[:0], ":label=kind", "the table has no rows"),
        (people()[["kind"]], ":label=kind", "no column beside 'kind'"),
        (people()[["born", "height"]], ":label=height", "is no class, which is a whole number"),
        (changed(kind="ant"), ":label=kind", "column 'kind': 1 class .'ant'.; at least two"),
        (people(4), ":label=kind", "no class has 5 rows"),
        (changed(height=[1.5, np.nan] * 30), ":label=kind",
         "30 values are missing in column 'height', the first in row 2; fill them in"),
        (changed(kind=[None, *["a", "b"] * 29, "a"]), ":label=kind", "1 value is missing in col"),
        (changed(height=["1.5"] * 59 + ["tall"]), ":label=kind", "row 60 is 'tall'; correct it"),
        (changed(height=["tall"] * 60), ":label=kind", "row 1 is 'tall'; code it as numbers"),
        (changed(height=[np.inf] * 60), ":label=kind", "column 'height' is infinite in row 1"),
    ],
)  # fmt: skip
def test_bad_tables_are_one_line(frame: pd.DataFrame, rest: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says) as error:
        table(tmp_path, frame, rest)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.csv").write_bytes(b"a,b\n1,2,3\n1,2,3,4\n\xff\xfe")
    for name, says in (("bad.csv", "cannot be read as a .csv table"), ("x.xls", "a table is a")):
        with pytest.raises(UserError, match=says):
            datasets.load(f"table:{name}", tmp_path)

    def absent(_path: Path) -> None:
        raise ImportError("no pyarrow")

    (tmp_path / "some.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(pd, "read_parquet", absent)
    with pytest.raises(UserError, match="pip install pyarrow"):
        datasets.load("table:some.parquet", tmp_path)


def test_the_report_counts_classes_and_says_what_is_odd(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.concat([people(), people(3).assign(kind="cow"), people(2)], ignore_index=True)
    found = table(tmp_path, frame.assign(same=7))
    said = "\n".join(oddities(found))
    assert "columns that are the same in all rows: 3 (from 0)" in said
    assert "repeat others to the bit" in said or "are training samples, too" in said
    assert "65 training" not in describe(found)
    assert main(["list", "data", "table:people.csv:label=kind", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"{len(found.y_train)} training and {len(found.y_test)} test samples of 3 classes" in out
    assert "rows of 4 numbers" in out
    assert oddities(datasets.load("digits")) == []
    assert main(["list", "data"]) == 2


class Tiny:
    """What torchvision's data sets look like."""

    def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
        if not download and not Path(root, "tiny").exists():
            raise RuntimeError("Dataset not found. You can use download=True to download it")
        Path(root, "tiny").touch()
        self.size = 6 if train else 2

    def __getitem__(self, at: int) -> tuple[Any, int]:
        if at >= self.size:
            raise IndexError
        return np.full((9, 8, 3), 20 * at, dtype=np.uint8), at % 2


def test_a_data_set_of_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets, "Tiny", Tiny, raising=False)
    with pytest.raises(datasets.NotDownloadedError, match="downloading is off"):
        datasets.load("torchvision:Tiny", tmp_path)
    found = datasets.load("torchvision:Tiny", tmp_path, download=True)
    assert found.x_train.shape == (6, 3, 9, 8)
    assert found.y_train.tolist() == [0, 1] * 3
    assert found.x_test.max() == 20
    with pytest.raises(UserError, match=r"torchvision\.datasets has no 'KMINST'"):
        datasets.load("torchvision:KMINST", tmp_path)


class Rows(list[dict[str, Any]]):
    """What a part of a Hugging Face data set looks like."""

    column_names = ("image", "label")
    features = {"label": SimpleNamespace(names=["cat", "dog"]), "image": None}  # noqa: RUF012


def hugging_face(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...] = (8, 8, 8, 8)) -> None:
    rows = Rows(
        {"image": np.full((size, 8), 9 * at, dtype=np.uint8), "label": at % 2}
        for at, size in enumerate(sizes)
    )
    parts = {"train": rows, "test": Rows(rows[:2])}
    fake = SimpleNamespace(
        load_from_disk=lambda _path: parts, exceptions=SimpleNamespace(DatasetsError=KeyError)
    )
    monkeypatch.setitem(sys.modules, "datasets", fake)


def test_a_data_set_of_hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "dataset_dict.json").touch()
    hugging_face(monkeypatch)
    found = datasets.load("hf:pets", tmp_path)
    assert found.class_names == ("cat", "dog")
    assert found.x_train.shape == (4, 1, 8, 8)
    assert found.x_train[:, 0, 0, 0].tolist() == [0, 9, 18, 27]
    with pytest.raises(UserError, match="no column 'img'; it has image, label"):
        datasets.load("hf:pets:image=img", tmp_path)
    hugging_face(monkeypatch, (8, 8, 7))
    with pytest.raises(UserError, match=r"image 2 is \(7, 8\)"):
        datasets.load("hf:pets", tmp_path)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match="pip install datasets"):
        datasets.load("hf:pets", tmp_path)
