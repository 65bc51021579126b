"""MNIST and Fashion-MNIST from their official idx files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlbench.benchmark.datasets import idx
from nlbench.benchmark.datasets.base import Dataset
from nlbench.benchmark.datasets.fetch import fetch
from nlbench.benchmark.datasets.registry import (
    DatasetInfo,
    NotDownloadedError,
    Source,
    register_arrays,
)
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.vision import torchvision

_STEMS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True, kw_only=True)
class _Family:
    """What sets one idx data set apart from another.

    Attributes:
        md5: of the four uncompressed files, in the order of ``_STEMS``.
        folders: below the data root, in the order of search.
        system_folders: absolute, searched last.
        torchvision_name: the class that downloads it, into ``root/torchvision_name/raw``.
        hint: how to get the files without that download.
    """

    label: str
    class_names: tuple[str, ...]
    mean: float
    std: float
    md5: tuple[str, str, str, str]
    folders: tuple[str, ...]
    system_folders: tuple[Path, ...]
    torchvision_name: str
    hint: str


MNIST = _Family(
    label="MNIST",
    class_names=tuple(str(k) for k in range(10)),
    # As in the public protocol code of APL, ALF and ANL.
    mean=0.1307,
    std=0.3081,
    md5=(
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
    folders=("mnist", "MNIST/raw"),
    system_folders=(),
    torchvision_name="MNIST",
    hint="put the four official idx files (.gz or not) there",
)

FASHION_MNIST = _Family(
    label="Fashion-MNIST",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    # No protocol states them: computed from the 60,000 training images.
    mean=0.2860405969887955,
    std=0.3530242445149223,
    md5=(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
    folders=("fashion-mnist", "FashionMNIST/raw"),
    system_folders=(Path("/usr/share/datasets/fashion-mnist"),),
    torchvision_name="FashionMNIST",
    hint="install the Debian package dataset-fashion-mnist or put the four official idx files "
    "(.gz or not) there",
)


@register_arrays(
    DatasetInfo(
        name="mnist",
        label=MNIST.label,
        family="mnist",
        num_classes=10,
        shape=(1, 28, 28),
        train=60_000,
        test=10_000,
        source="idx files in ROOT/mnist or ROOT/MNIST/raw, else downloaded",
    ),
    files=lambda source: _there(source, MNIST),
)
def load_mnist(source: Source) -> Dataset:
    """MNIST (LeCun et al. 1998), bit-exact by md5; normalised by .1307 and .3081."""
    return _load(source, MNIST)


@register_arrays(
    DatasetInfo(
        name="fashion_mnist",
        label=FASHION_MNIST.label,
        family="fashion_mnist",
        num_classes=10,
        shape=(1, 28, 28),
        train=60_000,
        test=10_000,
        source="idx files in ROOT/fashion-mnist or ROOT/FashionMNIST/raw, Debian's "
        "dataset-fashion-mnist, else downloaded",
    ),
    files=lambda source: _there(source, FASHION_MNIST),
)
def load_fashion_mnist(source: Source) -> Dataset:
    """Fashion-MNIST (Xiao et al. 2017), bit-exact by md5; normalised by its training set."""
    return _load(source, FASHION_MNIST)


def _load(source: Source, family: _Family) -> Dataset:
    paths = _locate(source, family)
    arrays = [
        idx.read(path, ndim, md5)
        for path, ndim, md5 in zip(paths, (3, 1, 3, 1), family.md5, strict=True)
    ]
    return Dataset(
        name=source.name,
        family=source.name,
        label=family.label,
        class_names=family.class_names,
        x_train=arrays[0][:, None],
        y_train=arrays[1].astype(np.int64),
        x_test=arrays[2][:, None],
        y_test=arrays[3].astype(np.int64),
        mean=(family.mean,),
        std=(family.std,),
    )


def _locate(source: Source, family: _Family) -> list[Path]:
    """The four files: from the first folder that has any of them, else downloaded."""
    if found := _there(source, family):
        return found
    looked = ", ".join(str(folder) for folder in _folders(source, family))
    if not source.download:
        raise NotDownloadedError(
            f"data set {source.name!r} is not there and downloading is off; "
            f"looked in {looked}; {family.hint}, name another data root, or allow the download"
        )
    fetch(source, _downloader(family, source.root), looked, family.hint)
    folder = source.root / family.torchvision_name / "raw"
    fetched = [idx.find(folder, stem) for stem in _STEMS]
    if None in fetched:
        raise UserError(f"data set {source.name!r}: the download left no complete set in {folder}")
    return [path for path in fetched if path is not None]


def _folders(source: Source, family: _Family) -> list[Path]:
    return [*(source.root / name for name in family.folders), *family.system_folders]


def _there(source: Source, family: _Family) -> list[Path]:
    """The four files, from the first folder that has them all; empty if none has."""
    for folder in _folders(source, family):
        found = [idx.find(folder, stem) for stem in _STEMS]
        paths = [path for path in found if path is not None]
        if len(paths) == len(_STEMS):
            return paths
    return []


def _downloader(family: _Family, root: Path) -> Callable[[], Any]:
    def download() -> Any:
        return getattr(torchvision("datasets"), family.torchvision_name)(str(root), download=True)

    return download
