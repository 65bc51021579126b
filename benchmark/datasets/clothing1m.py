"""Clothing1M: a million shop photographs with labels taken from the text around them."""

from __future__ import annotations

from pathlib import Path

from nlbench.benchmark.datasets.file_lists import (
    first_folder,
    read_lines,
    read_pairs,
    shown,
    without_excluded,
)
from nlbench.benchmark.datasets.files import FileDataset, locate
from nlbench.benchmark.datasets.registry import DatasetInfo, Source, register
from nlbench.benchmark.errors import UserError

CLASS_NAMES = (
    "T-Shirt", "Shirt", "Knitwear", "Chiffon", "Sweater", "Hoodie", "Windbreaker", "Jacket",
    "Downcoat", "Suit", "Shawl", "Dress", "Vest", "Underwear",
)  # fmt: skip
_FOLDERS = ("clothing1m", "clothing1M", "Clothing1M")
_KEYS = ("noisy_train_key_list.txt", "clean_test_key_list.txt")
_VALUES = ("noisy_label_kv.txt", "clean_label_kv.txt")
_MERGED = ("annotations/noisy_train.txt", "annotations/clean_test.txt")
_HINT = (
    "Clothing1M is given out by its authors on request by e-mail: see"
    " https://github.com/Cysu/noisy_label"
)


@register(
    DatasetInfo(
        name="clothing1m",
        label="Clothing1M",
        family="clothing1m",
        num_classes=len(CLASS_NAMES),
        shape=(3, 224, 224),
        train=1_000_000,
        test=10_526,
        source="ROOT/clothing1m: noisy_train_key_list.txt, noisy_label_kv.txt, "
        "clean_test_key_list.txt, clean_label_kv.txt (or annotations/noisy_train.txt and "
        "clean_test.txt) and images/; streamed",
    )
)
def load_clothing1m(source: Source) -> FileDataset:
    """Clothing1M (Xiao et al. 2015): trained on all noisy labels, tested on the clean test set.

    The clean training and validation labels are not used. Images are resized to a square without
    regard to their shape before the crop, as in the Drainage code.
    """
    folder, train, test = _lists(source)
    train, excluded = without_excluded(source.name, folder, train)
    return FileDataset(
        name=source.name,
        family="clothing1m",
        label=f"Clothing1M{excluded}",
        class_names=CLASS_NAMES,
        train=locate(source.name, folder, train, "training images", _HINT),
        test=locate(source.name, folder, test, "test images", _HINT),
        squash=True,
    )


Entries = list[tuple[str, int]]


def _lists(source: Source) -> tuple[Path, Entries, Entries]:
    """The set's folder and both lists, from the merged files where they are there."""
    places = [source.root / folder for folder in _FOLDERS]
    merged = next((p for p in places if all((p / file).is_file() for file in _MERGED)), None)
    if merged is not None:
        train, test = (_placed(merged, read_pairs(merged / file)) for file in _MERGED)
        return merged, train, test
    folder = first_folder(source.name, places, (*_KEYS, *_VALUES), _HINT)
    train, test = (
        _placed(folder, _keyed(folder / keys, folder / values))
        for keys, values in zip(_KEYS, _VALUES, strict=True)
    )
    return folder, train, test


def _keyed(keys: Path, values: Path) -> Entries:
    labels = dict(read_pairs(values))
    wanted = [line.strip() for line in read_lines(keys) if line.strip()]
    without = [key for key in wanted if key not in labels]
    if without:
        raise UserError(
            f"{keys}: {len(without):,} of {len(wanted):,} keys have no label in {values.name}:"
            f" {shown(without)}"
        )
    return [(key, labels[key]) for key in wanted]


def _placed(folder: Path, entries: Entries) -> Entries:
    """The lists have images/0/...; some copies have the ten folders without images/."""
    entries = [(file.lstrip("/"), label) for file, label in entries]
    if (folder / "images").is_dir() or not (folder / "0").is_dir():
        return entries
    return [(file.removeprefix("images/"), label) for file, label in entries]
