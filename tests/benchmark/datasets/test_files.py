"""Loaders of the real-world sets, on small trees in their published layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlbench.benchmark import datasets
from nlbench.benchmark.datasets import FileDataset
from nlbench.benchmark.errors import UserError
from tests.helpers import image_trees as trees


def find(name: str, root: Path) -> FileDataset:
    dataset = datasets.find(name, root)
    assert isinstance(dataset, FileDataset)
    return dataset


def test_mini_webvision_is_the_first_fifty_classes_of_both_sources(tmp_path: Path) -> None:
    trees.webvision(tmp_path)
    data = find("mini_webvision", tmp_path)
    assert data.family == "mini_webvision"
    assert (len(data.train), len(data.test), data.num_classes) == (100, 50, 50)
    assert data.train.paths[3] == "google/q0001/i1.jpg"
    assert data.y_train.tolist() == [k // 2 for k in range(100)]
    assert data.test.paths[7] == "val_images_256/val00070.jpg"
    assert data.class_names[49] == "animal 49"
    other = data.others["ilsvrc"]
    assert other.paths[12] == f"{trees.WORDNET[12]}/I0.JPEG"
    assert other.labels.tolist() == list(range(50))
    assert data.given_labels
    assert find("mini_webvision_val", tmp_path).others == {}


def test_imagenet_folders_may_be_numbers(tmp_path: Path) -> None:
    trees.webvision(tmp_path)
    for label, word in enumerate(trees.WORDNET):
        (tmp_path / "imagenet/val" / word).rename(tmp_path / "imagenet/val" / str(label))
    assert find("mini_webvision", tmp_path).others["ilsvrc"].paths[30] == "30/I0.JPEG"


@pytest.mark.parametrize("merged", [False, True])
def test_clothing1m_in_both_published_forms(tmp_path: Path, merged: bool) -> None:
    trees.clothing1m(tmp_path, merged=merged)
    data = find("clothing1m", tmp_path)
    assert (len(data.train), len(data.test), data.num_classes) == (42, 14, 14)
    assert data.train.paths[15] == "images/1/01/noisy_train,1.jpg"
    assert data.y_train.tolist() == [*range(14)] * 3
    assert data.squash
    assert data.in_shape == (3, 224, 224)


def test_clothing1m_without_its_images_folder(tmp_path: Path) -> None:
    trees.clothing1m(tmp_path)
    base = tmp_path / "clothing1m"
    for folder in (base / "images").iterdir():
        folder.rename(base / folder.name)
    (base / "images").rmdir()
    assert find("clothing1m", tmp_path).train.paths[0] == "0/00/noisy_train,0.jpg"


def test_food101n_numbers_its_classes_alphabetically(tmp_path: Path) -> None:
    trees.food101n(tmp_path)
    data = find("food101n", tmp_path)
    assert data.class_names == tuple(f"dish_{k}" for k in range(5))
    assert data.train.paths[0] == "images/dish_4/00.jpg"
    assert data.y_train[0] == 4
    assert data.test.paths[-1] == "images/dish_4/1.jpg"
    (tmp_path / "food-101/meta/test.txt").write_text("dish_9/0\n")
    with pytest.raises(UserError, match=r"differ by dish_0, dish_1, dish_2 and 3 more"):
        find("food101n", tmp_path)


def test_animal10n_is_sorted_and_in_memory(tmp_path: Path) -> None:
    trees.animal10n(tmp_path)
    data = datasets.load("animal10n", tmp_path)
    assert data.given_labels
    assert data.x_train.shape == (60, 3, 64, 64)
    assert data.y_train.tolist() == [k // 6 for k in range(60)]
    assert data.class_names[9] == "guinea pig"
    colour = data.x_train[data.y_train == 2].mean(axis=(0, 2, 3))
    assert np.abs(colour - [74, 182, 46]).max() < 4
    damaged = tmp_path / "animal10n/training/3_10.jpg"
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(UserError, match=r"1 of 60 images .* training/3_10\.jpg"):
        datasets.load("animal10n", tmp_path)
    (tmp_path / "animal10n/exclude.txt").write_text("training/3_10.jpg\n")
    rest = datasets.load("animal10n", tmp_path)
    assert rest.label == "Animal-10N (1 excluded)"
    assert len(rest.y_train) == 59
    assert rest.fingerprint != data.fingerprint


def test_own_folders_of_images(tmp_path: Path) -> None:
    trees.folder(tmp_path)
    data = find("folder:mine", tmp_path)
    assert data.class_names == ("ant", "bee", "cow")
    assert data.given_labels is None
    assert data.train.paths[:2] == ("train/ant/0.png", "train/ant/1.jpg")
    for part in ("train", "test"):
        (tmp_path / "mine" / part / ".ipynb_checkpoints").mkdir()
    for name in ("._0.png", ".DS_Store", "Thumbs.db"):
        (tmp_path / "mine/train/ant" / name).touch()
    assert find("folder:mine", tmp_path).fingerprint == data.fingerprint
    (tmp_path / "mine/test/dog").mkdir()
    with pytest.raises(UserError, match=r"class 'dog' of test/ is not in train/"):
        find("folder:mine", tmp_path)


TREES: dict[str, Callable[[Path], None]] = {
    "mini_webvision": trees.webvision,
    "clothing1m": trees.clothing1m,
    "food101n": trees.food101n,
    "animal10n": trees.animal10n,
    "folder:mine": trees.folder,
}


@pytest.mark.parametrize("name", TREES)
def test_what_is_not_there_is_named_with_where_it_is_to_be_had(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        datasets.find(name, tmp_path)
    words = str(caught.value)
    assert "\n" not in words
    assert "not there: looked for" in words
    assert str(tmp_path) in words
    assert "https://" in words or name == "folder:mine"


@pytest.mark.parametrize("name", ["mini_webvision", "clothing1m", "food101n"])
def test_missing_images_are_counted_and_the_first_named(name: str, tmp_path: Path) -> None:
    TREES[name](tmp_path)
    data = find(name, tmp_path)
    for path in data.train.paths[5:10]:
        (data.train.root / path).unlink()
    lost = ", ".join(data.train.paths[5:8])
    with pytest.raises(UserError) as caught:
        find(name, tmp_path)
    assert f"5 of {len(data.train)} training images are missing" in str(caught.value)
    assert f"{lost} and 2 more; " in str(caught.value)
    assert "https://" in str(caught.value)


def test_missing_lists_and_folders_are_named(tmp_path: Path) -> None:
    trees.webvision(tmp_path)
    trees.clothing1m(tmp_path)
    (tmp_path / "imagenet/val" / trees.WORDNET[8] / "I0.JPEG").unlink()
    (tmp_path / "imagenet/val" / trees.WORDNET[8]).rmdir()
    with pytest.raises(UserError, match=rf"1 of 50 class folders .* {trees.WORDNET[8]}; .*https"):
        datasets.find("mini_webvision", tmp_path)
    (tmp_path / "clothing1m/clean_label_kv.txt").unlink()
    with pytest.raises(UserError, match=r"lacks clean_label_kv\.txt \(1 of 4 needed\)"):
        datasets.find("clothing1m", tmp_path)


def test_malformed_lists_are_named_with_their_line(tmp_path: Path) -> None:
    trees.clothing1m(tmp_path, merged=True)
    path = tmp_path / "clothing1m/annotations/clean_test.txt"
    path.write_text(path.read_text() + "images/1/a.jpg\n")
    with pytest.raises(UserError, match=r"clean_test\.txt, line 15: 'images/1/a\.jpg' is not"):
        datasets.find("clothing1m", tmp_path)


def test_the_fingerprint_follows_names_sizes_and_labels_not_the_place(tmp_path: Path) -> None:
    trees.clothing1m(tmp_path / "a")
    trees.clothing1m(tmp_path / "b")
    one, two = (find("clothing1m", tmp_path / part) for part in "ab")
    assert one.fingerprint == two.fingerprint
    assert one.at(64).fingerprint != one.fingerprint
    assert one.subset(2).fingerprint != one.fingerprint
    trees.picture(tmp_path / "b/clothing1m" / two.train.paths[0], 5, 5, (50, 50))
    assert find("clothing1m", tmp_path / "b").fingerprint != one.fingerprint


def test_a_subset_takes_the_first_of_each_class(tmp_path: Path) -> None:
    trees.clothing1m(tmp_path)
    part = find("clothing1m", tmp_path).subset(2)
    assert part.label == "Clothing1M (2 per class)"
    assert part.y_train.tolist() == [*range(14)] * 2
    with pytest.raises(UserError, match="only 3 training images"):
        part = find("clothing1m", tmp_path).subset(4)
    with pytest.raises(UserError, match="train_per_class = 0 of data set 'clothing1m'"):
        find("clothing1m", tmp_path).subset(0)


def test_excluded_images_are_left_out_and_said(tmp_path: Path) -> None:
    trees.webvision(tmp_path)
    (tmp_path / "webvision/exclude.txt").write_text("google/q0001/i1.jpg\n\n")
    data = find("mini_webvision", tmp_path)
    assert data.label == "mini-WebVision (1 excluded)"
    assert len(data.train) == 99
    (tmp_path / "webvision/exclude.txt").write_text("google/q0001/other.jpg\n")
    with pytest.raises(UserError, match=r"exclude\.txt names google/q0001/other\.jpg"):
        find("mini_webvision", tmp_path)


def test_a_set_in_files_is_not_loaded_into_memory(tmp_path: Path) -> None:
    trees.folder(tmp_path)
    with pytest.raises(UserError, match="is read from its files"):
        datasets.load("folder:mine", tmp_path)
