"""Food-101N: web images of 101 dishes for training, Food-101's test set for testing."""

from __future__ import annotations

from pathlib import Path

from nlbench.benchmark.datasets.file_lists import first_folder, read_lines, shown, without_excluded
from nlbench.benchmark.datasets.files import FileDataset, locate
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register
from nlbench.benchmark.errors import UserError

CLASSES = 101
_TRAIN_FOLDERS = ("Food-101N_release", "food-101n/Food-101N_release", "food101n")
_TEST_FOLDERS = ("food-101", "food-101n/food-101", "food101")
_TRAIN_LIST = "meta/imagelist.tsv"
_TEST_LIST = "meta/test.txt"
_HEADER = "class_name/key"
_TRAIN_HINT = "Food-101N is at https://kuanghuei.github.io/Food-101N (Food-101N_release.zip)"
_TEST_HINT = (
    "Food-101 is at https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101 (food-101.tar.gz)"
)


@register(
    DatasetInfo(
        name="food101n",
        label="Food-101N",
        family="food101n",
        num_classes=CLASSES,
        shape=(3, 224, 224),
        train=310_009,
        test=25_250,
        source="ROOT/Food-101N_release with meta/imagelist.tsv and images/; ROOT/food-101 with "
        "meta/test.txt and images/; streamed",
    )
)
def load_food101n(source: Source) -> FileDataset:
    """Food-101N (Lee et al. 2018), tested on Food-101's test set (Bossard et al. 2014).

    Classes are numbered alphabetically, as torchvision's Food101 does. The verification labels are
    not used.
    """
    root = source.root
    places = [root / folder for folder in _TRAIN_FOLDERS]
    folder = first_folder(source.name, places, (_TRAIN_LIST,), _TRAIN_HINT)
    places = [root / folder for folder in _TEST_FOLDERS]
    test_folder = first_folder(source.name, places, (_TEST_LIST,), _TEST_HINT)
    train, test = _names(folder / _TRAIN_LIST), _names(test_folder / _TEST_LIST)
    classes = sorted({name.split("/")[0] for name in test})
    foreign = sorted({name.split("/")[0] for name in train} ^ set(classes))
    if foreign:
        raise UserError(
            f"data set {source.name!r}: the classes of {folder / _TRAIN_LIST} and of"
            f" {test_folder / _TEST_LIST} differ by {shown(foreign)}"
        )
    images = "images" if (folder / "images").is_dir() else "train"
    entries, excluded = without_excluded(
        source.name, folder, _labelled(train, classes, f"{images}/", "")
    )
    return FileDataset(
        name=source.name,
        family="food101n",
        label=f"Food-101N{excluded}",
        class_names=tuple(classes),
        train=locate(source.name, folder, entries, "training images", _TRAIN_HINT),
        test=locate(
            source.name,
            test_folder,
            _labelled(test, classes, "images/", ".jpg"),
            "test images",
            _TEST_HINT,
        ),
    )


def _names(path: Path) -> list[str]:
    """Entries "class/name" of a list, a header left out."""
    names = [line.strip().split("\t")[0] for line in read_lines(path)]
    names = [name for name in names if name and name != _HEADER]
    for number, name in enumerate(names, 1):
        if name.count("/") != 1:
            raise UserError(f"{path}: entry {number}, {name!r}, is not 'class/image'")
    return names


def _labelled(
    names: list[str], classes: list[str], before: str, after: str
) -> list[tuple[str, int]]:
    numbers = {name: number for number, name in enumerate(classes)}
    return [(f"{before}{name}{after}", numbers[name.split("/")[0]]) for name in names]
