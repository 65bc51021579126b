"""Mini-WebVision: the first 50 classes of WebVision 1.0, Google's part of the images."""

from __future__ import annotations

from pathlib import Path

from nlbench.benchmark.datasets.file_lists import (
    first_folder,
    image_names,
    read_lines,
    read_pairs,
    shown,
    without_excluded,
)
from nlbench.benchmark.datasets.files import FileDataset, locate
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register
from nlbench.benchmark.errors import UserError

CLASSES = 50
_TRAIN_LIST = "info/train_filelist_google.txt"
_TEST_LIST = "info/val_filelist.txt"
_NAMES = "info/synsets.txt"
_FOLDERS = ("webvision", "WebVision", "mini-webvision")
_TEST_FOLDERS = ("val_images_256", "val_images")
_IMAGENET_FOLDERS = ("imagenet/val", "ILSVRC2012/val", "imagenet/ILSVRC2012_val")
_HINT = (
    "WebVision 1.0 is at https://data.vision.ee.ethz.ch/cvl/webvision/dataset2017.html: info.tar,"
    " google_resized_256.tar and val_images_256.tar, unpacked into one folder"
)
_IMAGENET_HINT = (
    "the validation images of ILSVRC-2012 are at https://image-net.org (after registration), sorted"
    " into a folder per class; without them use data set mini_webvision_val"
)


@register(
    DatasetInfo(
        name="mini_webvision",
        label="mini-WebVision",
        family="mini_webvision",
        num_classes=CLASSES,
        shape=(3, 224, 224),
        train=65_944,
        test=2_500,
        source="info/, google/ and val_images_256/ in ROOT/webvision; ILSVRC-2012's validation "
        "images of these classes in ROOT/imagenet/val/CLASS; streamed",
    )
)
def load_mini_webvision(source: Source) -> FileDataset:
    """Mini-WebVision (Li et al. 2017; Jiang et al. 2018), with ILSVRC-2012 as second test set."""
    return _load(source, imagenet=True)


@register(
    DatasetInfo(
        name="mini_webvision_val",
        label="mini-WebVision",
        family="mini_webvision",
        num_classes=CLASSES,
        shape=(3, 224, 224),
        train=65_944,
        test=2_500,
        source="as mini_webvision, without ILSVRC-2012; streamed",
    )
)
def load_mini_webvision_val(source: Source) -> FileDataset:
    """Mini-WebVision with its own validation set as the only test set."""
    return _load(source, imagenet=False)


def _load(source: Source, imagenet: bool) -> FileDataset:
    places = [source.root / folder for folder in _FOLDERS]
    folder = first_folder(source.name, places, (_TRAIN_LIST, _TEST_LIST, _NAMES), _HINT)
    synsets = [line.split(" ", 1) for line in read_lines(folder / _NAMES)[:CLASSES]]
    if len(synsets) < CLASSES or any(len(words) < 2 for words in synsets):
        raise UserError(f"{folder / _NAMES}: {CLASSES} lines 'wordnet-id name, ...' are needed")
    train, excluded = without_excluded(source.name, folder, _first(folder / _TRAIN_LIST))
    images = next((f for f in _TEST_FOLDERS if (folder / f).is_dir()), _TEST_FOLDERS[0])
    test = [(f"{images}/{file}", label) for file, label in _first(folder / _TEST_LIST)]
    others = {}
    if imagenet:
        root, entries = _imagenet(source, [words[0] for words in synsets])
        what = "ILSVRC-2012 images"
        others["ilsvrc"] = locate(source.name, root, entries, what, _IMAGENET_HINT)
    return FileDataset(
        name=source.name,
        family="mini_webvision",
        label=f"mini-WebVision{excluded}",
        class_names=tuple(words[1].split(",")[0].strip() for words in synsets),
        train=locate(source.name, folder, train, "training images", _HINT),
        test=locate(source.name, folder, test, "validation images", _HINT),
        others=others,
    )


def _first(path: Path) -> list[tuple[str, int]]:
    """The entries of the first classes."""
    return [(file, label) for file, label in read_pairs(path) if label < CLASSES]


def _imagenet(source: Source, wordnet: list[str]) -> tuple[Path, list[tuple[str, int]]]:
    """All images of the class folders, which are named by WordNet id or by 0..49."""
    places = [source.root / folder for folder in _IMAGENET_FOLDERS]
    root = next((place for place in places if place.is_dir()), None)
    if root is None:
        looked = ", ".join(str(place) for place in places)
        raise UserError(
            f"data set {source.name!r}: no validation images of ILSVRC-2012; looked for {looked};"
            f" {_IMAGENET_HINT}"
        )
    folders = wordnet if (root / wordnet[0]).is_dir() else [str(k) for k in range(CLASSES)]
    lacking = [folder for folder in folders if not (root / folder).is_dir()]
    if lacking:
        raise UserError(
            f"data set {source.name!r}: {len(lacking)} of {CLASSES} class folders are missing in"
            f" {root}: {shown(lacking)}; {_IMAGENET_HINT}"
        )
    return root, [
        (f"{folder}/{file}", label)
        for label, folder in enumerate(folders)
        for file in image_names(root / folder)
    ]
