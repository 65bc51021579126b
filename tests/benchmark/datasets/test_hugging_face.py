"""``hf:`` and Parquet tables with the libraries themselves, offline, on data made here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError

hf: Any = pytest.importorskip("datasets", reason="datasets: pip install datasets")
NAMES = ["cat", "dog", "owl"]
FEATURES = {"image": hf.Image(), "label": hf.ClassLabel(names=NAMES)}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library makes of Parquet files is kept for this test only."""
    monkeypatch.setattr(hf.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


def pixels(count: int, sides: tuple[int, ...] = (8, 8)) -> list[Any]:
    drawn = np.random.default_rng(count).integers(0, 256, (count, *sides), dtype=np.uint8)
    return list(drawn)


def parts(images: Any = pixels, **features: Any) -> Any:
    """30 training and 12 test images of three classes in turn."""
    kinds = hf.Features({**FEATURES, **features})
    return hf.DatasetDict(
        {
            name: hf.Dataset.from_dict(
                {"image": images(count), "label": [at % 3 for at in range(count)]}, features=kinds
            )
            for name, count in (("train", 30), ("test", 12))
        }
    )


def pictures(count: int) -> list[Any]:
    return [Image.fromarray(one) for one in pixels(count)]


@pytest.mark.parametrize("saved", ["arrow", "parquet"])
def test_the_pixels_and_labels_are_those_that_were_saved(tmp_path: Path, saved: str) -> None:
    made = parts(pictures)
    folder = tmp_path / "pets"
    if saved == "arrow":
        made.save_to_disk(str(folder))
    else:
        folder.mkdir()
        for name in made:
            made[name].to_parquet(str(folder / f"{name}-00000-of-00001.parquet"))
    found = datasets.load("hf:pets", tmp_path)
    np.testing.assert_array_equal(found.x_train[:, 0], np.stack(pixels(30)))
    np.testing.assert_array_equal(found.x_test[:, 0], np.stack(pixels(12)))
    assert found.y_train.tolist() == [at % 3 for at in range(30)]
    assert found.class_names == ("cat", "dog", "owl")
    assert datasets.load(f"hf:{folder}", tmp_path).label == found.label == "pets"


def test_arrays_and_columns_of_other_names(tmp_path: Path) -> None:
    colour = parts(lambda count: [p.tolist() for p in pixels(count, (6, 6, 3))],
                   image=hf.Array3D((6, 6, 3), "uint8"), label=hf.Value("int64"))  # fmt: skip
    colour.rename_columns({"image": "img", "label": "fine"}).save_to_disk(str(tmp_path / "pets"))
    found = datasets.load("hf:pets:image=img:label=fine", tmp_path)
    assert found.x_train.shape == (30, 3, 6, 6)
    np.testing.assert_array_equal(found.x_train.transpose(0, 2, 3, 1), pixels(30, (6, 6, 3)))
    with pytest.raises(UserError, match="no column 'image'; it has img, fine"):
        datasets.load("hf:pets", tmp_path)


def _alone(folder: Path) -> None:
    parts(pictures)["train"].save_to_disk(str(folder))


def _without_test(folder: Path) -> None:
    hf.DatasetDict({"train": parts(pictures)["train"]}).save_to_disk(str(folder))


def _missing_image(folder: Path) -> None:
    parts(lambda count: [*pictures(count - 1), None]).save_to_disk(str(folder))


def _no_image(folder: Path) -> None:
    broken = {"bytes": b"no image", "path": None}
    parts(lambda count: [broken] * count).save_to_disk(str(folder))


def _halved(folder: Path) -> None:
    folder.mkdir()
    for name, part in parts(pictures).items():
        part.to_parquet(str(folder / f"{name}.parquet"))
    file = folder / "train.parquet"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_alone, "one part without a name; save a DatasetDict of 'train' and 'test'"),
        (_without_test, "no part 'test'; it has train"),
        (_missing_image, "image 29 is missing"),
        (_no_image, "image 0 cannot be read: cannot identify image file"),
        (_halved, "'hf:pets' cannot be loaded: .*Parquet magic bytes"),
        (Path.mkdir, "'hf:pets' cannot be loaded: .*any data files"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, make: Any, message: str) -> None:
    make(tmp_path / "pets")
    with pytest.raises(UserError, match=message) as caught:
        datasets.load("hf:pets", tmp_path)
    assert "\n" not in str(caught.value)


def test_without_downloading_the_hub_is_not_asked(tmp_path: Path) -> None:
    before, started = hf.config.HF_HUB_OFFLINE, time.monotonic()
    with pytest.raises(datasets.NotDownloadedError, match="downloading is off"):
        datasets.load("hf:nobody/nothing", tmp_path)
    assert time.monotonic() - started < 10  # five attempts take 25 s
    assert before == hf.config.HF_HUB_OFFLINE


def test_a_parquet_table_of_the_library(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    table = {"a": rows[:, 0].tolist(), "b": rows[:, 1].tolist(), "kind": ["x", "y", "z"] * 20}
    hf.Dataset.from_dict(table).to_parquet(str(tmp_path / "people.parquet"))
    found = datasets.load("table:people.parquet:label=kind", tmp_path)
    assert (found.x_train.shape, found.x_test.shape) == ((48, 2, 1, 1), (12, 2, 1, 1))
    assert found.class_names == ("x", "y", "z")
    assert abs(float(found.x_train[:, 0].mean())) < 1e-6
    table["a"][7] = None
    hf.Dataset.from_dict(table).to_parquet(str(tmp_path / "people.parquet"))
    with pytest.raises(UserError, match="1 value is missing in column 'a', the first in row 8"):
        datasets.load("table:people.parquet:label=kind", tmp_path)
