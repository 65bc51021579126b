"""Data sets of Hugging Face ``datasets`` and of torchvision, as they are, through thin adapters."""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nlbench.benchmark.datasets import npz
from nlbench.benchmark.datasets.base import Dataset, channel_statistics
from nlbench.benchmark.datasets.own_arrays import classes_of, coded
from nlbench.benchmark.datasets.registry import DatasetInfo, NotDownloadedError, Source, register
from nlbench.benchmark.datasets.words import path_of, place_and_options
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.vision import torchvision

Part = tuple[npz.Array, list[Any]]
# One of them is in a folder of save_to_disk.
SAVED = ("dataset_dict.json", "state.json")


@register(
    DatasetInfo(
        name="hf",
        label="NAME",
        family="hf",
        num_classes=None,
        shape=None,
        train=None,
        test=None,
        source="Hugging Face `datasets` (pip install datasets): a folder of save_to_disk or of"
        " Parquet files, or a name on the hub; its parts train and test; columns image=COLUMN and"
        " label=COLUMN",
        argument="NAME[:image=COLUMN][:label=COLUMN]",
    )
)
def load_hugging_face(source: Source) -> Dataset:
    """Images of equal size and labels of a data set of Hugging Face.

    Raises:
        UserError: the package is absent, or the data set has no such parts, columns or images.
    """
    place, options = place_and_options(source, ("image", "label"))
    columns = options.get("image", "image"), options.get("label", "label")
    found = _hugging_face(source, place)
    if not isinstance(found, Mapping):
        raise UserError(
            f"data set {source.name!r}: one part without a name; save a DatasetDict of 'train' and"
            " 'test' (Dataset.train_test_split makes one)"
        )
    absent = [part for part in ("train", "test") if part not in found]
    if absent:
        raise UserError(
            f"data set {source.name!r}: no part {absent[0]!r}; it has {', '.join(found)}"
        )
    for column in columns:
        if column not in (there := found["train"].column_names):
            raise UserError(
                f"data set {source.name!r}: no column {column!r}; it has {', '.join(there)}: name"
                " them, image=COLUMN and label=COLUMN"
            )
    parts = [
        _part(source, ((row[columns[0]], row[columns[1]]) for row in found[name]))
        for name in ("train", "test")
    ]
    feature = found["train"].features[columns[1]]
    label = Path(place).name if path_of(source, place).is_dir() else place
    return _dataset(source, label, parts, getattr(feature, "names", None))


@register(
    DatasetInfo(
        name="torchvision",
        label="NAME",
        family="torchvision",
        num_classes=None,
        shape=None,
        train=None,
        test=None,
        source="a class of torchvision.datasets with training and test part (KMNIST, USPS ...)",
        argument="NAME",
    )
)
def load_torchvision(source: Source) -> Dataset:
    """Images of equal size and labels of one of torchvision's data sets.

    Raises:
        UserError: no such class, no test part, or images of several sizes.
    """
    name = source.argument
    kind = getattr(torchvision("datasets"), name, None)
    if not inspect.isclass(kind):
        raise UserError(
            f"data set {source.name!r}: torchvision.datasets has no {name!r}; names are as there,"
            " such as KMNIST"
        )
    parts = [_part(source, _torchvision(source, kind, training)) for training in (True, False)]
    return _dataset(source, name, parts, None)


def _torchvision(source: Source, kind: Any, training: bool) -> Any:
    known = inspect.signature(kind).parameters
    options: dict[str, Any] = {"download": source.download} if "download" in known else {}
    if "train" in known:
        options["train"] = training
    elif "split" in known:
        options["split"] = "train" if training else "test"
    else:
        raise UserError(f"data set {source.name!r}: it has no training and test part")
    try:
        return kind(str(source.root), **options)
    except (RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())
        if source.download:
            raise UserError(f"data set {source.name!r} cannot be had: {reason}") from error
        raise NotDownloadedError(
            f"data set {source.name!r} is not in {source.root} and downloading is off ({reason})"
        ) from error


def _hugging_face(source: Source, place: str) -> Any:
    try:
        package: Any = importlib.import_module("datasets")
    except ImportError:
        raise UserError(
            f"data set {source.name!r} needs the package datasets: pip install datasets"
        ) from None
    folder = path_of(source, place)
    try:
        if any((folder / file).is_file() for file in SAVED):
            return package.load_from_disk(str(folder))
        with contextlib.nullcontext() if source.download else _offline(package):
            return package.load_dataset(str(folder) if folder.is_dir() else place)
    except (OSError, ValueError, RuntimeError, package.exceptions.DatasetsError) as error:
        reason = " ".join(f"{error} {error.__cause__ or ''}".split())
        if source.download or folder.is_dir():
            raise UserError(f"data set {source.name!r} cannot be loaded: {reason}") from error
        raise NotDownloadedError(
            f"data set {source.name!r} is neither the folder {folder} nor downloaded, and"
            f" downloading is off ({reason})"
        ) from error


@contextlib.contextmanager
def _offline(package: Any) -> Iterator[None]:
    """Without this the hub is asked all the same, for half a minute where it cannot be reached."""
    constants: Any = importlib.import_module("huggingface_hub.constants")
    before = package.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE
    package.config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        package.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE = before


def _part(source: Source, pairs: Iterable[tuple[Any, Any]]) -> Part:
    """Images (n, ...) of one size, and labels."""
    images: list[npz.Array] = []
    labels: list[Any] = []
    for number, (image, label) in enumerate(_read(source, pairs)):
        if image is None:
            raise UserError(f"data set {source.name!r}: image {number} is missing")
        pixels = np.asarray(image)
        if images and pixels.shape != images[0].shape:
            raise UserError(
                f"data set {source.name!r}: image {number} is {pixels.shape}, those before it are"
                f" {images[0].shape}; write them into a folder for each class and use folder:NAME"
            )
        images.append(pixels)
        labels.append(label)
    if not images:
        raise UserError(f"data set {source.name!r}: a part of it is empty")
    return np.stack(images), labels


def _read(source: Source, pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """The pairs; images are decoded as they come."""
    number = 0
    try:
        for pair in pairs:
            yield pair
            number += 1
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"data set {source.name!r}: image {number} cannot be read: {reason}"
        ) from error


def _dataset(source: Source, label: str, parts: list[Part], names: list[str] | None) -> Dataset:
    (images, labels), (tested, truth) = parts
    where = f"data set {source.name!r}"
    missing = next((x for x in (*labels, *truth) if x is None or x != x), labels)
    if missing is not labels:
        raise UserError(f"{where}: labels are missing")
    classes = classes_of(labels, where) if names is None else tuple(range(len(names)))
    laid = [npz.layout(x, f"{where}: images") for x in (images, tested)]
    x_train, x_test = npz.pixels(laid[0], laid[1], where)
    mean, std = channel_statistics(x_train)
    return Dataset(
        name=source.name,
        family=source.name.partition(":")[0],
        label=label,
        class_names=tuple(map(str, names or classes)),
        x_train=x_train,
        y_train=coded(labels, classes, where),
        x_test=x_test,
        y_test=coded(truth, classes, where),
        mean=mean,
        std=std,
        given_labels=None,
    )
