"""SVHN, street view house numbers, from the official files of cropped digits."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nlbench.benchmark.datasets.base import Dataset, channel_statistics
from nlbench.benchmark.datasets.fetch import fetch
from nlbench.benchmark.datasets.registry import (
    DatasetInfo,
    NotDownloadedError,
    Source,
    register_arrays,
)
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.vision import torchvision

FOLDERS = ("", "svhn", "SVHN")
SPLITS = ("train", "test")


def _there(source: Source) -> list[Path]:
    official = torchvision("datasets").SVHN
    names = [official.split_list[split][1] for split in SPLITS]
    return _first([source.root / folder for folder in FOLDERS], names) or []


@register_arrays(
    DatasetInfo(
        name="svhn",
        label="SVHN",
        family="svhn",
        num_classes=10,
        shape=(3, 32, 32),
        train=73_257,
        test=26_032,
        source="train_32x32.mat and test_32x32.mat in ROOT or ROOT/svhn, else downloaded",
    ),
    files=_there,
)
def load_svhn(source: Source) -> Dataset:
    """SVHN (Netzer et al. 2011), cropped digits, official order, both files checked by md5.

    The files call the digit 0 class 10; here, as in torchvision, it is class 0. No protocol states
    constants for normalisation: they are computed from the training images.
    """
    official = torchvision("datasets").SVHN
    paths = _locate(source, official)
    (x_train, y_train), (x_test, y_test) = (
        _read(path, official.split_list[split][2])
        for split, path in zip(SPLITS, paths, strict=True)
    )
    mean, std = channel_statistics(x_train)
    return Dataset(
        name=source.name,
        family=source.name,
        label="SVHN",
        class_names=tuple(str(digit) for digit in range(10)),
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        mean=mean,
        std=std,
    )


def _locate(source: Source, official: Any) -> list[Path]:
    """Both files, from the first folder that has them, else downloaded into the root."""
    names = [official.split_list[split][1] for split in SPLITS]
    places = [source.root / folder for folder in FOLDERS]
    found = _first(places, names)
    if found is not None:
        return found
    looked = f"{' and '.join(names)} in {', '.join(str(place) for place in places)}"
    hint = f"put {' and '.join(names)} into {source.root}"
    if not source.download:
        raise NotDownloadedError(
            f"data set {source.name!r} is not there and downloading is off; looked for {looked}; "
            f"{hint}, name another data root, or allow the download"
        )

    def download() -> None:
        for split in SPLITS:
            official(str(source.root), split=split, download=True)

    fetch(source, download, looked, hint)
    found = _first(places, names)
    if found is None:
        raise UserError(f"data set {source.name!r}: the download left no files in {source.root}")
    return found


def _first(places: list[Path], names: list[str]) -> list[Path] | None:
    for place in places:
        paths = [place / name for name in names]
        if all(path.is_file() for path in paths):
            return paths
    return None


def _read(path: Path, md5: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (N, 3, 32, 32) and labels (N,), parsed only after the file proved official."""
    from scipy.io import loadmat

    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if digest.hexdigest() != md5:
        found = digest.hexdigest()
        raise UserError(f"{path}: damaged: md5 {found}, the official one is {md5}; remove it")
    content = loadmat(str(path), variable_names=["X", "y"])
    labels = content["y"].astype(np.int64).reshape(-1)
    images = np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1))
    return images, np.where(labels == 10, 0, labels)
