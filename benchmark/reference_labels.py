"""Reference labels: the published table of label-set fingerprints, made and checked here."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import noise
from benchmark import datasets
from benchmark.errors import UserError, unknown
from noise import NoisyLabels
from noise.safe_pickle import read_pt

SEEDS = range(10)
SYMMETRIC = tuple(f"symmetric:{rate}" for rate in (0.2, 0.4, 0.6, 0.8))
PAIR = ("pair:0.2", "pair:0.45")
RATES = (0.1, 0.2, 0.3, 0.4, 0.45)
LABEL_ONLY = (*SYMMETRIC, *(f"asymmetric:{rate}" for rate in RATES), *PAIR)
INSTANCE = tuple(f"instance:{rate}" for rate in (0.2, 0.4, 0.5, 0.6))
BLOCK5 = tuple(f"asymmetric:{rate}:map=block5" for rate in RATES)
SUPERCLASS = tuple(f"asymmetric:{rate}:map=superclass" for rate in RATES)

# Which settings are published for which data set. The labels of cifar10_jpeg are those of CIFAR-10,
# so its label-only rows hold for both; its instance rows come from the JPEG pixels.
PUBLISHED: dict[str, tuple[str, ...]] = {
    "digits": LABEL_ONLY + INSTANCE,
    "mnist": LABEL_ONLY + INSTANCE,
    "fashion_mnist": LABEL_ONLY + INSTANCE,
    "cifar10": LABEL_ONLY,
    "cifar10_jpeg": LABEL_ONLY + INSTANCE,
    "cifar100": SYMMETRIC + BLOCK5 + SUPERCLASS + PAIR,
}
# The CIFAR-N files (Wei et al. 2022) carry the clean labels in torchvision's order: enough for
# noise that looks at labels only.
CLEAN_FILES = {
    "cifar10": ("CIFAR-10_human.pt", "clean_label", 10),
    "cifar100": ("CIFAR-100_human.pt", "clean_label", 100),
}


@dataclass(frozen=True)
class Row:
    """One label set: how to draw it, and what must come out."""

    dataset: str
    noise: str
    seed: int
    samples: int
    realised: str
    fingerprint: str


@dataclass(frozen=True)
class Clean:
    """Clean training labels of a data set, and its pixels where the images are there."""

    labels: NDArray[np.int64]
    num_classes: int
    pixels: NDArray[np.uint8 | np.float32] | None

    def draw(self, dataset: str, line: str, seed: int) -> NoisyLabels:
        """The noisy labels of one row."""
        return noise.make(
            line,
            self.labels,
            num_classes=self.num_classes,
            seed=seed,
            features=None if self.pixels is None else {"pixels": self.pixels},
            dataset=dataset,
        )


def clean_of(dataset: str, root: Path | None) -> Clean:
    """The images' own labels; for CIFAR without images those of the CIFAR-N file.

    Raises:
        UserError: neither is in the data folder.
    """
    if dataset not in PUBLISHED:
        raise unknown("data set", dataset, PUBLISHED, "the fingerprint table")
    folder = datasets.default_root() if root is None else root
    try:
        data = datasets.load(dataset, folder, download=False)
    except UserError as error:
        found = _from_cifar_n(dataset, folder)
        if found is None:
            raise error from None
        return found
    return Clean(data.y_train, data.num_classes, data.x_train)


def make(names: Iterable[str], root: Path | None) -> Iterator[Row]:
    """Draw every published label set of these data sets."""
    for name in names:
        clean = clean_of(name, root)
        for line in PUBLISHED[name]:
            for seed in SEEDS:
                yield _row(name, line, seed, clean.draw(name, line, seed))


def check(rows: Sequence[Row], root: Path | None) -> Iterator[tuple[Row, str]]:
    """Draw each row again; yields (row, ``""``) where it agrees, else what came out instead.

    A data set that is not there yields a message that starts with ``skipped``.
    """
    for name in dict.fromkeys(row.dataset for row in rows):
        mine = [row for row in rows if row.dataset == name]
        try:
            clean = clean_of(name, root)
        except UserError as error:
            yield from ((row, f"skipped: {error}") for row in mine)
            continue
        for row in mine:
            again = _row(name, row.noise, row.seed, clean.draw(name, row.noise, row.seed))
            yield row, "" if again == row else f"drawn again it is {again.fingerprint}"


def read(path: Path) -> list[Row]:
    """The rows of a table.

    Raises:
        UserError: not such a table, or a malformed line.
    """
    names = [field.name for field in fields(Row)]
    try:
        with path.open(newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
    if not lines or list(lines[0]) != names:
        raise UserError(f"{path}: is no fingerprint table (columns {', '.join(names)})")
    try:
        return [
            Row(**{**line, "seed": int(line["seed"]), "samples": int(line["samples"])})  # type: ignore[arg-type]
            for line in lines
        ]
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: a line is malformed ({error})") from error


def write(rows: Iterable[Row], path: Path) -> int:
    """Write a table; returns the number of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, [f.name for f in fields(Row)], lineterminator="\n")
        table.writeheader()
        for count, row in enumerate(rows, 1):  # noqa: B007  # the last number is the answer
            table.writerow(asdict(row))
    return count


def _row(dataset: str, line: str, seed: int, labels: NoisyLabels) -> Row:
    rate = f"{labels.realised_rate:.6f}"
    return Row(dataset, line, seed, len(labels), rate, labels.fingerprint)


def _from_cifar_n(dataset: str, folder: Path) -> Clean | None:
    if dataset not in CLEAN_FILES:
        return None
    file, key, classes = CLEAN_FILES[dataset]
    for path in (folder / file, folder / "cifar-n" / file):
        if path.is_file():
            labels = np.asarray(read_pt(path)[key], dtype=np.int64)
            return Clean(labels, classes, None)
    return None
