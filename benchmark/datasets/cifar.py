"""CIFAR-10 and CIFAR-100 from the official Python archives."""

from __future__ import annotations

import hashlib
import pickle
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

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

# Per-channel constants of the public protocol code (APL, ALF, ANL, eps-softmax, Drainage).
CIFAR10_MEAN = (0.49139968, 0.48215827, 0.44653124)
CIFAR10_STD = (0.24703233, 0.24348505, 0.26158768)
CIFAR100_MEAN = (0.5071, 0.4865, 0.4409)
CIFAR100_STD = (0.2673, 0.2564, 0.2762)


@dataclass(frozen=True, kw_only=True)
class _Family:
    """Layout of one archive; file names and md5 come from torchvision's class of that name."""

    label: str
    torchvision_name: str
    folders: tuple[str, ...]
    label_key: str
    names_key: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


CIFAR10 = _Family(
    label="CIFAR-10",
    torchvision_name="CIFAR10",
    folders=("", "cifar10", "cifar-10", "CIFAR10"),
    label_key="labels",
    names_key="label_names",
    mean=CIFAR10_MEAN,
    std=CIFAR10_STD,
)

CIFAR100 = _Family(
    label="CIFAR-100",
    torchvision_name="CIFAR100",
    folders=("", "cifar100", "cifar-100", "CIFAR100"),
    label_key="fine_labels",
    names_key="fine_label_names",
    mean=CIFAR100_MEAN,
    std=CIFAR100_STD,
)

CIFAR100_COARSE = replace(
    CIFAR100,
    label="CIFAR-100 (20 superclasses)",
    label_key="coarse_labels",
    names_key="coarse_label_names",
)


@register_arrays(
    DatasetInfo(
        name="cifar10",
        label=CIFAR10.label,
        family="cifar10",
        num_classes=10,
        shape=(3, 32, 32),
        train=50_000,
        test=10_000,
        source="cifar-10-batches-py or cifar-10-python.tar.gz in ROOT or ROOT/cifar10, "
        "else downloaded",
    ),
    files=lambda source: _there(source, CIFAR10),
)
def load_cifar10(source: Source) -> Dataset:
    """CIFAR-10 (Krizhevsky 2009), official pixels and order, every file checked by md5."""
    return _load(source, CIFAR10)


@register_arrays(
    DatasetInfo(
        name="cifar100",
        label=CIFAR100.label,
        family="cifar100",
        num_classes=100,
        shape=(3, 32, 32),
        train=50_000,
        test=10_000,
        source="cifar-100-python or cifar-100-python.tar.gz in ROOT or ROOT/cifar100, "
        "else downloaded",
    ),
    files=lambda source: _there(source, CIFAR100),
)
def load_cifar100(source: Source) -> Dataset:
    """CIFAR-100 (Krizhevsky 2009), fine labels, official order, every file checked by md5."""
    return _load(source, CIFAR100)


@register_arrays(
    DatasetInfo(
        name="cifar100_coarse",
        label=CIFAR100_COARSE.label,
        family="cifar100_coarse",
        num_classes=20,
        shape=(3, 32, 32),
        train=50_000,
        test=10_000,
        source="the files of cifar100",
    ),
    files=lambda source: _there(source, CIFAR100_COARSE),
)
def load_cifar100_coarse(source: Source) -> Dataset:
    """CIFAR-100's images with their 20 superclasses, for the human labels `human:coarse`."""
    return _load(source, CIFAR100_COARSE)


def _load(source: Source, family: _Family) -> Dataset:
    official = getattr(torchvision("datasets"), family.torchvision_name)
    read = _open(source, family, official)
    train = [read(name, md5) for name, md5 in official.train_list]
    test = [read(name, md5) for name, md5 in official.test_list]
    meta = read(official.meta["filename"], official.meta["md5"])
    return Dataset(
        name=source.name,
        family=source.name,
        label=family.label,
        class_names=tuple(str(name) for name in meta[family.names_key]),
        x_train=_pixels(train),
        y_train=_labels(train, family.label_key),
        x_test=_pixels(test),
        y_test=_labels(test, family.label_key),
        mean=family.mean,
        std=family.std,
    )


def _there(source: Source, family: _Family) -> list[Path]:
    """The files of an unpacked folder, or the archive; empty if neither is there."""
    official = getattr(torchvision("datasets"), family.torchvision_name)
    found = _find([source.root / name for name in family.folders], official)
    if found is None or found.is_file():
        return [] if found is None else [found]
    return [found / name for name in _names(official)]


_Reader = Callable[[str, str], dict[str, Any]]


def _open(source: Source, family: _Family, official: Any) -> _Reader:
    """A function (file name, md5) -> unpickled dict, over the unpacked folder or the archive."""
    places = [source.root / name for name in family.folders]
    found = _find(places, official)
    if found is None:
        looked = (
            f"{official.base_folder} and {official.filename} in "
            f"{', '.join(str(place) for place in places)}"
        )
        hint = f"put {official.filename} into {source.root}"
        if not source.download:
            raise NotDownloadedError(
                f"data set {source.name!r} is not there and downloading is off; looked for "
                f"{looked}; {hint}, name another data root, or allow the download"
            )
        fetch(source, lambda: official(str(source.root), download=True), looked, hint)
        found = _find(places, official)
    if found is None:
        raise UserError(f"data set {source.name!r}: the download left no files in {source.root}")
    return _folder_reader(found) if found.is_dir() else _archive_reader(found, official.base_folder)


def _find(places: list[Path], official: Any) -> Path | None:
    """The first unpacked folder with all files, else the first archive."""
    wanted = _names(official)
    for place in places:
        folder: Path = place / official.base_folder
        archive: Path = place / official.filename
        if all((folder / name).is_file() for name in wanted):
            return folder
        if archive.is_file():
            return archive
    return None


def _names(official: Any) -> list[str]:
    return [
        *(name for name, _ in official.train_list + official.test_list),
        official.meta["filename"],
    ]


def _folder_reader(folder: Path) -> _Reader:
    def read(name: str, md5: str) -> dict[str, Any]:
        path = folder / name
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error}") from error
        return _unpickle(raw, md5, str(path))

    return read


def _archive_reader(path: Path, base_folder: str) -> _Reader:
    """Read members without unpacking, so a read-only data root will do."""
    try:
        with tarfile.open(path) as archive:
            members = {
                member.name: stream.read()
                for member in archive
                if (stream := archive.extractfile(member)) is not None
            }
    except (OSError, EOFError, tarfile.TarError) as error:
        raise UserError(f"{path}: not a readable archive: {error}") from error

    def read(name: str, md5: str) -> dict[str, Any]:
        member = f"{base_folder}/{name}"
        if member not in members:
            raise UserError(f"{path}: {member} is missing in the archive")
        return _unpickle(members[member], md5, f"{path}: {member}")

    return read


def _unpickle(raw: bytes, md5: str, where: str) -> dict[str, Any]:
    """Unpickle bytes only after they proved to be the official ones."""
    found = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    if found != md5:
        raise UserError(f"{where}: damaged: md5 {found}, the official one is {md5}; remove it")
    content: dict[str, Any] = pickle.loads(raw, encoding="latin1")
    return content


def _pixels(batches: list[dict[str, Any]]) -> npt.NDArray[np.uint8]:
    stacked = np.concatenate([np.asarray(batch["data"], dtype=np.uint8) for batch in batches])
    return stacked.reshape(-1, 3, 32, 32)


def _labels(batches: list[dict[str, Any]], key: str) -> npt.NDArray[np.int64]:
    return np.concatenate([np.asarray(batch[key], dtype=np.int64) for batch in batches])
