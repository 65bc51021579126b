"""Samples: images or rows with the labels to be judged, and where they come from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from nlbench import noise
from nlbench.benchmark import datasets
from nlbench.benchmark.datasets import FileDataset
from nlbench.benchmark.datasets.base import (
    Dataset,
    Labels,
    Pixels,
    channel_statistics,
    first_per_class,
)
from nlbench.benchmark.datasets.file_lists import class_names, image_names, shown
from nlbench.benchmark.datasets.files import ImageFiles, locate
from nlbench.benchmark.datasets.registry import Source
from nlbench.benchmark.datasets.table import KINDS, whole_table
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.machine import memory
from nlbench.benchmark.machine.device import cores
from nlbench.benchmark.pipeline.select import described
from nlbench.benchmark.pipeline.streaming import CHUNK, Decoder, Request
from nlbench.benchmark.spec.run_spec import DatasetSpec

# Images in files are cut to their own size, but no larger unless it is asked for.
SIZE = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """What is to be judged.

    Attributes:
        name: of the data, for messages.
        images: (N, C, H, W), uint8 or float32; rows of a table are (N, D, 1, 1).
        given: (N,) labels.
        class_names: of the labels.
        mean, std: per channel, as of :class:`Dataset`.
        files: the name of each image file, where they are files.
        index: (N,) place of each sample in its data set, where only some are used.
        truth: (N,) true labels where they are known.
        noise: the line that the given labels were drawn by.
    """

    name: str
    images: Pixels
    given: Labels
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    files: tuple[str, ...] | None = None
    index: Labels | None = None
    truth: Labels | None = None
    noise: str = "given"

    def __len__(self) -> int:
        return len(self.given)

    @property
    def numbers(self) -> Labels:
        """(N,) place of each sample in its data set."""
        return np.arange(len(self)) if self.index is None else self.index

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def pictures(self) -> bool:
        """Whether a sample is an image and not a row of numbers."""
        return self.images.shape[3] > 1 and self.images.shape[1] in (1, 3)

    @property
    def described(self) -> str:
        """What was read, in one line."""
        counts = np.bincount(self.given, minlength=self.num_classes)
        low, high = int(counts.argmin()), int(counts.argmax())
        shape = " x ".join(map(str, self.images.shape[1:])) if self.images.shape[3] > 1 else ""
        what = f"images of {shape}" if shape else f"rows of {self.images.shape[1]} numbers"
        return (
            f"{self.name}: {len(self):,} {what}, {self.num_classes} classes with"
            f" {counts[low]:,} ({self.class_names[low]}) to {counts[high]:,}"
            f" ({self.class_names[high]}) samples"
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 hex digest of everything that networks are trained on."""
        digest = hashlib.sha256(f"nlbench-samples-1 {self.num_classes}".encode())
        digest.update(
            repr((self.images.shape, self.images.dtype.str, self.mean, self.std)).encode()
        )
        for array in (self.images, self.given):
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def part(self, train: Labels, test: Labels) -> Dataset:
        """Some samples as a training set, others as the test set, with their given labels."""
        return Dataset(
            name=self.name,
            family="suspicious",
            label=self.name,
            class_names=self.class_names,
            x_train=self.images[train],
            y_train=self.given[train],
            x_test=self.images[test],
            y_test=self.given[test],
            mean=self.mean,
            std=self.std,
            given_labels=None,
        )


def read(
    data: str,
    line: str | None = None,
    *,
    root: Path | None = None,
    train_per_class: int | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Samples:
    """Read the training samples of a data set or of a folder of one's own.

    Args:
        data: a data set by name, or the path of a folder with a folder of images for each class
            (its own ``train`` where there is one), of an .npz file or of a table.
        line: noise to draw, so that the truth is known; ``None``: the labels as they are.
        root: data folder.
        train_per_class: only the first so many samples of each class.
        size: pixels that images in files are cut to.
        seed: of the noise.

    Raises:
        UserError, NoiseError: what is wrong with the data, and what would be right.
    """
    if _is_folder(data):
        if line is not None:
            raise UserError(
                f"noise {line!r}: the labels of {data} are judged as they are; noise is drawn on"
                " data sets by name, such as npz:NAME"
            )
        return _in_memory(of_folder(Path(data).expanduser()).subset(train_per_class), size)
    spec = DatasetSpec(_named(data), train_per_class)
    whole = _labelled(spec.name, root) if line is None else described(DatasetSpec(spec.name), root)
    samples = _in_memory(whole.subset(train_per_class), size)
    if train_per_class is not None:
        used = first_per_class(spec.name, whole.y_train, whole.class_names, train_per_class)
        samples = replace(samples, index=used)
    if line is None:
        return samples
    labels = draw_labels(line, spec, seed, root)
    if labels.replaced is not None:
        raise UserError(f"noise {line!r} replaces images; here labels are judged")
    known = noise.get(labels.spec.kind).truth
    return replace(
        samples,
        given=labels.noisy,
        noise=str(labels.spec),
        truth=labels.clean if known else None,
    )


def _labelled(name: str, root: Path | None) -> Dataset | FileDataset:
    """All labels there are: of a table also those of the rows that would be for testing."""
    base, _, argument = name.partition(":")
    if base != "table":
        return described(DatasetSpec(name), root)
    place = datasets.default_root() if root is None else root
    return whole_table(Source(name, argument, place, False))


def _is_folder(data: str) -> bool:
    return ":" not in data and data not in datasets.names() and Path(data).expanduser().is_dir()


def _named(data: str) -> str:
    place = data.partition(":label=")[0]
    kind = {".npz": "npz", **dict.fromkeys(KINDS, "table")}.get(Path(place).suffix)
    is_path = kind is not None and data.partition(":")[0] not in datasets.names()
    return f"{kind}:{data}" if is_path else data


def of_folder(place: Path) -> FileDataset:
    """The images of a folder whose sub-folders are classes; of ``train`` in it, if it is there.

    Raises:
        UserError: fewer than two classes, or one without images.
    """
    hint = "put a folder of .jpg or .png images there for each class"
    base = place / "train" if (place / "train").is_dir() else place
    classes = class_names(base)
    if len(classes) < 2:
        raise UserError(f"{base}: {len(classes)} class folders, at least 2 are needed; {hint}")
    entries = [
        (f"{name}/{f}", k) for k, name in enumerate(classes) for f in image_names(base / name)
    ]
    if not entries:
        raise UserError(f"{base}: no image in any of its {len(classes)} folders; {hint}")
    files = locate(str(place), base, entries, "images", hint)
    name = place.resolve().name
    return FileDataset(
        name=name,
        family="folder",
        label=name,
        class_names=tuple(classes),
        train=files,
        test=files,
        given_labels=None,
    )


def _in_memory(found: Dataset | FileDataset, size: int | None) -> Samples:
    if isinstance(found, FileDataset):
        return _decoded(found, size)
    if size is not None:
        raise UserError(f"size = {size} is for images in files; those of {found.name} are arrays")
    return Samples(
        name=found.label,
        images=found.x_train,
        given=found.y_train,
        class_names=found.class_names,
        mean=found.mean,
        std=found.std,
    )


def _decoded(found: FileDataset, size: int | None) -> Samples:
    """All images of the training files, cut to one size."""
    side = size or min(found.train.shorter_side() or SIZE, SIZE)
    needed = len(found.train) * 3 * side * side
    if needed > memory.physical() // 4:
        raise UserError(
            f"{found.name}: {len(found.train):,} images of {side} x {side} pixels need"
            f" {needed / 2**30:.0f} GiB of memory; name a smaller size"
        )
    decode = Decoder(found.at(side))
    starts = range(0, len(found.train), CHUNK)
    asked = [np.arange(at, min(at + CHUNK, len(found.train))) for at in starts]
    with ThreadPoolExecutor(cores()) as pool:
        chunks = list(pool.map(lambda rows: decode(Request("train", "", rows, None)), asked))
    _check_whole(found.name, [name for chunk in chunks for name, _ in chunk.broken], found.train)
    images = np.concatenate([chunk.pixels for chunk in chunks]).transpose(0, 3, 1, 2)
    images = np.ascontiguousarray(images)
    mean, std = channel_statistics(images)
    return Samples(
        name=found.label,
        images=images,
        given=found.y_train,
        class_names=found.class_names,
        mean=mean,
        std=std,
        files=found.train.paths,
    )


def _check_whole(name: str, broken: Sequence[str], files: ImageFiles) -> None:
    """Refuse files that are no images (UserError)."""
    if broken:
        raise UserError(
            f"{name}: {len(broken):,} of {len(files):,} files cannot be decoded: {shown(broken)};"
            " repair or remove them"
        )
