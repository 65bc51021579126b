"""The label sets that papers compare on, and a table of their fingerprints to check copies by."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noise.errors import NoiseError
from noise.make import make

SEEDS = tuple(range(10))

_SYMMETRIC = tuple(f"symmetric:{rate}" for rate in (0.2, 0.4, 0.6, 0.8))
_ASYMMETRIC = tuple(f"asymmetric:{rate}" for rate in (0.1, 0.2, 0.3, 0.4, 0.45))
_INSTANCE = tuple(f"instance:{rate}" for rate in (0.2, 0.4, 0.6))
_COMMON = (*_SYMMETRIC, *_ASYMMETRIC, "pair:0.45", *_INSTANCE)
_CIFAR100 = (
    *_SYMMETRIC,
    *(f"{spec}:map={name}" for name in ("block5", "superclass") for spec in _ASYMMETRIC),
    "pair:0.45",
    *_INSTANCE,
)

CANONICAL: Mapping[str, tuple[str, ...]] = {
    "digits": _COMMON,
    "mnist": _COMMON,
    "fashion_mnist": _COMMON,
    "cifar10": _COMMON,
    "cifar100": _CIFAR100,
}
"""Settings of the usual noise grids, by data set (the full training set each)."""


@dataclass(frozen=True)
class Row:
    """One label set of the table."""

    dataset: str
    noise: str
    seed: int
    samples: int
    num_classes: int
    realised: float
    fingerprint: str


def rows(
    dataset: str,
    labels: ArrayLike,
    num_classes: int,
    features: NDArray[Any] | None = None,
    *,
    specs: Sequence[str] | None = None,
    seeds: Iterable[int] = SEEDS,
) -> Iterator[Row]:
    """Draw the canonical label sets of a data set, one row for each setting and seed."""
    if specs is None:
        if dataset not in CANONICAL:
            raise NoiseError(f"no canonical label sets for '{dataset}'; name the settings (specs)")
        specs = CANONICAL[dataset]
    seeds = tuple(seeds)
    for spec in specs:
        for seed in seeds:
            made = make(
                spec, labels, num_classes=num_classes, seed=seed, features=features, dataset=dataset
            )
            realised = round(made.realised_rate, 9)
            size = int(np.size(made.clean))
            yield Row(dataset, str(made.spec), seed, size, num_classes, realised, made.fingerprint)


def write(path: str | Path, table: Iterable[Row]) -> None:
    """Write rows as CSV, sorted, so that the same label sets give the same bytes."""
    ordered = sorted(table, key=lambda row: (row.dataset, row.noise, row.seed))
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(Row.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in ordered)


def read(path: str | Path) -> list[Row]:
    """Read a table that ``write`` wrote; NoiseError if it is something else."""
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            return [_parsed(line) for line in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise NoiseError(f"{path}: is not a table of fingerprints ({error!r})") from None


def _parsed(line: Mapping[str, str]) -> Row:
    return Row(
        dataset=line["dataset"],
        noise=line["noise"],
        seed=int(line["seed"]),
        samples=int(line["samples"]),
        num_classes=int(line["num_classes"]),
        realised=float(line["realised"]),
        fingerprint=line["fingerprint"],
    )


def differences(published: Iterable[Row], found: Iterable[Row]) -> list[str]:
    """Return one line for each found label set that the published table has otherwise."""
    known = {(row.dataset, row.noise, row.seed): row for row in published}
    lines = []
    for row in found:
        other = known.get((row.dataset, row.noise, row.seed))
        if other is not None and other != row:
            lines.append(
                f"{row.dataset} {row.noise} seed {row.seed}: fingerprint {row.fingerprint[:16]}, "
                f"published {other.fingerprint[:16]}"
            )
    return lines
