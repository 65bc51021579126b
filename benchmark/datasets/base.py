"""What a data set is: arrays on the host, their names, their normalisation, their fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nlbench.benchmark.errors import UserError

_PART = 256  # samples that are copied at a time, where a copy is needed
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A data set with clean labels, held as read-only NumPy arrays.

    Attributes:
        name: the name it was loaded by, e.g. "cifar10_jpeg".
        family: key for published settings and flip maps, e.g. "cifar10" for "cifar10_jpeg".
        label: how every table and figure calls it, e.g. "CIFAR-10 (JPEG q75)".
        x_train, x_test: (N, C, H, W), uint8, or float32 for bring-your-own data that is not on
            an 8-bit grid; feature vectors are (N, D, 1, 1).
        y_train, y_test: (N,) int64 in 0..num_classes-1.
        mean, std: per channel; in 0..1 units (pixel / 255) for uint8, in data units for float32.
        given_labels: whether the training labels are noisy as published, the truth unknown;
            ``None`` = one's own data, where the noise line decides: ``given`` or another.

    Arrays are read-only, and those of large sets are mapped from files that all processes of the
    machine share: write to no tensor that is made of them without a copy.
    """

    name: str
    family: str
    label: str
    class_names: tuple[str, ...]
    x_train: Pixels
    y_train: Labels
    x_test: Pixels
    y_test: Labels
    mean: tuple[float, ...]
    std: tuple[float, ...]
    given_labels: bool | None = False

    def __post_init__(self) -> None:
        _check(self)
        for array in self._arrays():
            array.flags.writeable = False

    @property
    def num_classes(self) -> int:
        """Number of classes K, those without test samples included."""
        return len(self.class_names)

    @property
    def in_shape(self) -> tuple[int, int, int]:
        """Shape (C, H, W) of one image."""
        _, channels, height, width = self.x_train.shape
        return channels, height, width

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 hex digest over number of classes, shapes, types and bytes of the arrays."""
        digest = hashlib.sha256(f"nlbench-dataset-1 {self.num_classes}".encode())
        for array in self._arrays():
            kind = array.dtype.newbyteorder("<")
            digest.update(f" {kind.str}{array.shape}".encode())
            for start in range(0, len(array), _PART):
                portable = np.ascontiguousarray(array[start : start + _PART], dtype=kind)
                digest.update(portable.reshape(-1).view(np.uint8).data)
        return digest.hexdigest()

    def subset(self, train_per_class: int | None) -> Dataset:
        """Return the first ``train_per_class`` training images of each class, in file order.

        The test set and the normalisation constants stay those of the full data set. ``None``
        returns the data set itself.

        Raises:
            UserError: the number is below 1 or a class has fewer images.
        """
        if train_per_class is None:
            return self
        keep = first_per_class(self.name, self.y_train, self.class_names, train_per_class)
        return dataclasses.replace(
            self,
            label=f"{self.label} ({train_per_class:,} per class)",
            x_train=self.x_train[keep],
            y_train=self.y_train[keep],
        )

    def only(self, classes: Sequence[int]) -> Dataset:
        """Return the images of these classes, numbered 0, 1, ... in the order given.

        Normalisation constants stay those of the full data set.

        Raises:
            UserError: a class without test images.
        """
        new = np.full(self.num_classes, -1)
        new[list(classes)] = np.arange(len(classes))
        train, test = new[self.y_train] >= 0, new[self.y_test] >= 0
        return dataclasses.replace(
            self,
            label=f"{self.label}, {len(classes)} of {self.num_classes} classes",
            class_names=tuple(self.class_names[k] for k in classes),
            x_train=self.x_train[train],
            y_train=new[self.y_train[train]],
            x_test=self.x_test[test],
            y_test=new[self.y_test[test]],
        )

    def _arrays(self) -> tuple[Pixels | Labels, ...]:
        return self.x_train, self.y_train, self.x_test, self.y_test


def first_per_class(
    dataset: str, labels: Labels, class_names: Sequence[str], train_per_class: int
) -> npt.NDArray[np.intp]:
    """Indices, ascending, of the first ``train_per_class`` samples of each class.

    Raises:
        UserError: the number is below 1 or a class has fewer; names ``dataset``.
    """
    where = f"train_per_class = {train_per_class} of data set {dataset!r}"
    if train_per_class < 1:
        raise UserError(f"{where}: must be at least 1")
    counts = np.bincount(labels, minlength=len(class_names))
    least = int(counts.argmin())
    if counts[least] < train_per_class:
        raise UserError(
            f"{where}: class {least} ({class_names[least]}) has only "
            f"{counts[least]} training images"
        )
    chosen = [np.flatnonzero(labels == k)[:train_per_class] for k in range(len(class_names))]
    return np.sort(np.concatenate(chosen))


def channel_statistics(images: Pixels) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and population standard deviation per channel of (N, C, H, W) images.

    uint8 pixels are counted first, so their statistics (in 0..1 units) are exact up to the last
    division whatever the machine. A constant channel gets standard deviation 1.
    """
    stats = [_moments(images[:, c]) for c in range(images.shape[1])]
    return tuple(m for m, _ in stats), tuple(s if s > 0 else 1.0 for _, s in stats)


def _moments(channel: Pixels) -> tuple[float, float]:
    if channel.dtype != np.uint8:
        values = channel.astype(np.float64)
        return float(values.mean()), float(values.std())
    counts = np.zeros(256, dtype=np.int64)
    for start in range(0, len(channel), 4096):  # bincount widens to int64: keep it small
        counts += np.bincount(channel[start : start + 4096].reshape(-1), minlength=256)
    levels = np.arange(256)
    size, first, second = channel.size, int(counts @ levels), int(counts @ levels**2)
    variance = (size * second - first * first) / size**2  # Python integers: no cancellation
    return first / size / 255, float(np.sqrt(variance)) / 255


def _check(data: Dataset) -> None:
    """Hold the invariants that every loader must deliver; the user meets them as UserError."""
    where = f"data set {data.name!r}"
    for part, x, y in (
        ("train", data.x_train, data.y_train),
        ("test", data.x_test, data.y_test),
    ):
        if x.ndim != 4 or x.dtype not in (np.uint8, np.float32):
            raise UserError(
                f"{where}: x_{part} has shape {x.shape} and type {x.dtype}; "
                "(N, C, H, W) of uint8 or float32 is needed"
            )
        if y.shape != (len(x),) or y.dtype != np.int64:
            raise UserError(
                f"{where}: y_{part} has shape {y.shape} and type {y.dtype}; "
                f"int64 of shape ({len(x)},) is needed to fit x_{part}"
            )
        if not len(x):
            raise UserError(f"{where}: the {part} set is empty")
        if y.min() < 0 or y.max() >= data.num_classes:
            raise UserError(
                f"{where}: y_{part} holds {y.min()}..{y.max()}; "
                f"labels must lie in 0..{data.num_classes - 1}"
            )
    if data.x_train.shape[1:] != data.x_test.shape[1:] or data.x_train.dtype != data.x_test.dtype:
        raise UserError(
            f"{where}: train images are {data.x_train.shape[1:]} {data.x_train.dtype}, "
            f"test images {data.x_test.shape[1:]} {data.x_test.dtype}; they must agree"
        )
    if not len(data.mean) == len(data.std) == data.x_train.shape[1]:
        raise UserError(f"{where}: mean and std need one number per channel")
    absent = np.flatnonzero(np.bincount(data.y_train, minlength=data.num_classes) == 0)
    if len(absent):
        raise UserError(
            f"{where}: class {absent[0]} ({data.class_names[absent[0]]}) has no training sample"
        )
