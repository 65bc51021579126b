"""Data sets that stay on disk: lists of image files with labels, checked before anything runs."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from nlbench.benchmark.datasets.base import Labels, first_per_class
from nlbench.benchmark.datasets.file_lists import shown
from nlbench.benchmark.errors import UserError

# Images whose size is read to estimate how large those of a data set are.
PROBED = 100
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Image files of one part of a data set, with their labels.

    Attributes:
        root: the folder that ``paths`` are relative to.
        paths: file names below ``root``, with forward slashes.
        labels: (N,) int64, read-only.
        sizes: (N,) bytes of each file.
    """

    root: Path
    paths: tuple[str, ...]
    labels: Labels
    sizes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, rows: npt.NDArray[np.intp]) -> ImageFiles:
        """Some of the files, in this order."""
        paths = tuple(self.paths[i] for i in rows)
        return ImageFiles(self.root, paths, self.labels[rows], self.sizes[rows])

    def shorter_side(self) -> int | None:
        """Median of the shorter side, in pixels, of files spread over the list; none is decoded.

        ``None`` where no file is an image.
        """
        rows = np.linspace(0, len(self) - 1, min(len(self), PROBED)).astype(np.intp)
        sides = []
        for row in rows:
            with contextlib.suppress(OSError), Image.open(self.root / self.paths[row]) as image:
                sides.append(min(image.size))
        return sorted(sides)[(len(sides) - 1) // 2] if sides else None


@dataclass(frozen=True, kw_only=True, eq=False)
class FileDataset:
    """A data set whose images are read from files, batch by batch, while it is trained on.

    Attributes:
        name, family, label, class_names, mean, std: as of :class:`Dataset`.
        train, test: the files; ``test`` has clean labels.
        others: further test sets by name, with clean labels of the same classes.
        given_labels: as of :class:`Dataset`.
        squash: whether images are resized to a square regardless of their shape (Clothing1M in
            the Drainage code), instead of by their shorter side.
        size: height and width that images are cut to.
        unknown: images of no known class, for open-set recognition; their labels mean nothing.
    """

    name: str
    family: str
    label: str
    class_names: tuple[str, ...]
    train: ImageFiles
    test: ImageFiles
    others: Mapping[str, ImageFiles] = field(default_factory=dict)
    given_labels: bool | None = True
    squash: bool = False
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    size: int = 224
    unknown: ImageFiles | None = None

    def __post_init__(self) -> None:
        for part, files in self.parts().items():
            _check_labels(self.name, part, files, self.class_names)

    @property
    def num_classes(self) -> int:
        """Number of classes K."""
        return len(self.class_names)

    @property
    def in_shape(self) -> tuple[int, int, int]:
        """Shape (3, size, size) of the network's input."""
        return 3, self.size, self.size

    @property
    def y_train(self) -> Labels:
        """(N,) int64 training labels, as published."""
        return self.train.labels

    @property
    def y_test(self) -> Labels:
        """(M,) int64 labels of the test set."""
        return self.test.labels

    def parts(self) -> dict[str, ImageFiles]:
        """All lists of files: train, test, the further test sets by name, and the unknown."""
        last = {} if self.unknown is None else {"unknown": self.unknown}
        return {"train": self.train, "test": self.test, **self.others, **last}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 hex digest over classes and every file's name, size in bytes and label.

        Not over the content: reading it all would cost as much as an epoch.
        """
        head = f"nlbench-files-1 {self.num_classes} {self.size} {self.squash}"
        digest = hashlib.sha256(head.encode())
        for part, files in self.parts().items():
            digest.update(f"\n{part} {len(files)}\n".encode())
            digest.update("\n".join(files.paths).encode())
            digest.update(files.sizes.astype("<i8").tobytes())
            digest.update(files.labels.astype("<i8").tobytes())
        return digest.hexdigest()

    def at(self, size: int | None) -> FileDataset:
        """The same with images cut to ``size`` pixels; ``None`` leaves them as they are."""
        return self if size is None else dataclasses.replace(self, size=size)

    def only(self, classes: Sequence[int]) -> FileDataset:
        """The files of these classes, numbered anew; test images of the others are unknown."""
        new = np.full(self.num_classes, -1)
        new[list(classes)] = np.arange(len(classes))
        known = {name: _of(files, new) for name, files in self.parts().items()}
        return dataclasses.replace(
            self,
            label=f"{self.label}, {len(classes)} of {self.num_classes} classes",
            class_names=tuple(self.class_names[k] for k in classes),
            train=known["train"],
            test=known["test"],
            others={name: known[name] for name in self.others},
            unknown=nameless(self.test.take(np.flatnonzero(new[self.test.labels] < 0))),
        )

    def subset(self, train_per_class: int | None) -> FileDataset:
        """Return the first training files of each class, in the published order.

        Raises:
            UserError: the number is below 1 or a class has fewer.
        """
        if train_per_class is None:
            return self
        rows = first_per_class(self.name, self.y_train, self.class_names, train_per_class)
        label = f"{self.label} ({train_per_class:,} per class)"
        return dataclasses.replace(self, label=label, train=self.train.take(rows))


def nameless(files: ImageFiles) -> ImageFiles:
    """The same files, all with label 0."""
    return dataclasses.replace(files, labels=np.zeros(len(files), dtype=np.int64))


def _of(files: ImageFiles, new: Labels) -> ImageFiles:
    """The files of classes with a new number, with that number."""
    kept = files.take(np.flatnonzero(new[files.labels] >= 0))
    return dataclasses.replace(kept, labels=new[kept.labels])


def folder_of_images(place: Path) -> ImageFiles:
    """Every .jpg, .jpeg and .png file below a folder, by name, but hidden ones; no labels.

    Raises:
        UserError: no such folder, or no image in it.
    """
    kinds = {".jpg", ".jpeg", ".png"}
    found = (p for p in place.rglob("*") if p.suffix.lower() in kinds and p.is_file())
    names = (p.relative_to(place) for p in found)
    paths = sorted(n.as_posix() for n in names if not any(w.startswith(".") for w in n.parts))
    if not paths:
        raise UserError(f"unknown images: no .jpg or .png file below {place}")
    return locate(str(place), place, [(path, 0) for path in paths], "images", "")


def _check_labels(name: str, part: str, files: ImageFiles, classes: Sequence[str]) -> None:
    if not len(files):
        raise UserError(f"data set {name!r}: its {part} list names no image")
    low, high = int(files.labels.min()), int(files.labels.max())
    if low < 0 or high >= len(classes):
        raise UserError(
            f"data set {name!r}: labels of {part} are {low}..{high}, not 0..{len(classes) - 1}"
        )
    absent = np.flatnonzero(np.bincount(files.labels, minlength=len(classes)) == 0)
    if part == "train" and len(absent):
        raise UserError(
            f"data set {name!r}: class {absent[0]} ({classes[absent[0]]}) has no training image"
        )


def locate(
    name: str, root: Path, entries: Iterable[tuple[str, int]], what: str, hint: str
) -> ImageFiles:
    """The files of a list, once all of them are there.

    Args:
        name: of the data set, for messages.
        root: what the names are relative to.
        entries: (file name, label) in the published order.
        what: "training images" and the like, for messages.
        hint: where missing files are to be had.

    Raises:
        UserError: files are missing: how many, the first by name, and the hint.
    """
    listed = list(entries)
    paths = tuple(path for path, _ in listed)
    labels = np.array([label for _, label in listed], dtype=np.int64)
    labels.flags.writeable = False
    sizes = _sizes(root, paths)
    missing = [path for path, size in zip(paths, sizes, strict=True) if size < 0]
    if missing:
        raise UserError(
            f"data set {name!r}: {len(missing):,} of {len(paths):,} {what} are missing below"
            f" {root}: {shown(missing)}; {hint}"
        )
    return ImageFiles(root, paths, labels, sizes)


def _sizes(root: Path, paths: Sequence[str]) -> npt.NDArray[np.int64]:
    """Size of each file in bytes, -1 where there is none; each folder is listed once."""
    wanted: dict[str, dict[str, int]] = {}
    for at, path in enumerate(paths):
        folder, _, file = path.rpartition("/")
        wanted.setdefault(folder, {})[file] = at
    sizes = np.full(len(paths), -1, dtype=np.int64)
    for folder, files in wanted.items():
        try:
            with os.scandir(root / folder) as found:
                for entry in found:
                    at = files.get(entry.name, -1)
                    if at >= 0 and entry.is_file():
                        sizes[at] = entry.stat().st_size
        except OSError:
            continue  # all of its files count as missing
    return sizes
