"""The label files: a table for each data set and noise, a column for each seed."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.labels import reference
from nlbench.benchmark.labels.release import croissant, datasheet
from nlbench.noise import NoisyLabels, whole

SEEDS = range(5)
INDEX = "labels.csv"
_SYMMETRIC = tuple(f"symmetric:{rate}" for rate in (0.2, 0.4, 0.6, 0.8))
_ASYMMETRIC = tuple(f"asymmetric:{rate}" for rate in (0.2, 0.3, 0.4))
# Pixels in [0, 1], as the suites and the Drainage release draw it.
_INSTANCE = tuple(f"instance:{rate}:scale=unit" for rate in (0.2, 0.4))
# Noise that depends on the pixels is drawn only where these can be had by everyone to the bit.
SETTINGS: dict[str, tuple[str, ...]] = {
    "mnist": (*_SYMMETRIC, *_ASYMMETRIC, *_INSTANCE),
    "fashion_mnist": (*_SYMMETRIC, *_ASYMMETRIC, *_INSTANCE),
    "cifar10": (*_SYMMETRIC, *_ASYMMETRIC),
    "cifar100": (*_SYMMETRIC, *(f"{line}:map=block5" for line in _ASYMMETRIC)),
}


@dataclass(frozen=True)
class Entry:
    """One noisy label set of the release: a column of a file.

    Attributes:
        file: path in the release.
        column: of the file.
        dataset: whose training labels.
        noise: the line as it is settled for this data set, all options named.
        seed: of the noise.
        samples: their number.
        realised: share of labels that differ from the clean ones.
        fingerprint: SHA-256 of the label set, as ``nlbench noise inspect`` and records give it.
        sha256: of the file.
    """

    file: str
    column: str
    dataset: str
    noise: str
    seed: int
    samples: int
    realised: str
    fingerprint: str
    sha256: str = ""


def write(folder: Path, names: Sequence[str], root: Path | None) -> list[Entry]:
    """Write the files of these data sets, an index, a datasheet and Croissant metadata.

    Args:
        folder: to write to; files of other data sets that the index names stay.
        names: keys of SETTINGS.
        root: folder of data sets, ``None`` for the default one.

    Raises:
        UserError: an unknown data set, or one whose labels are not there, before anything is made.
    """
    for name in names:
        if name not in SETTINGS:
            raise unknown("data set", name, SETTINGS, "the release")
    clean = {name: reference.clean_of(name, root) for name in names}
    kept = [e for e in index(folder) if e.dataset not in names] if names else []
    made = [entry for name in names for entry in _write_all(folder, name, clean[name])]
    entries = sorted([*kept, *made], key=lambda e: (list(SETTINGS).index(e.dataset), e.file))
    describe(folder, entries)
    return entries


def describe(folder: Path, entries: Sequence[Entry]) -> None:
    """Write the index, the datasheet and the metadata of these label sets."""
    text = io.StringIO()
    rows = csv.DictWriter(text, [field.name for field in fields(Entry)], lineterminator="\n")
    rows.writeheader()
    rows.writerows(asdict(entry) for entry in entries)
    whole.write_text(folder / INDEX, text.getvalue())
    files = {entry.file: entry.sha256 for entry in entries}
    columns = {file: [e.column for e in entries if e.file == file] for file in files}
    titles = {e.file: f"{e.dataset}, {e.noise}" for e in entries}
    whole.write_text(folder / croissant.FILE, croissant.metadata(files, columns, titles))
    whole.write_text(folder / datasheet.FILE, datasheet.page(entries))


def index(folder: Path) -> list[Entry]:
    """The label sets that a release holds; none where there is no index.

    Raises:
        UserError: a file of this name that is no index.
    """
    path = folder / INDEX
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [
            Entry(**{**row, "seed": int(row["seed"]), "samples": int(row["samples"])})  # type: ignore[arg-type]
            for row in rows
        ]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: is no index of label files ({error})") from error


def table(path: Path) -> dict[str, NDArray[np.int64]]:
    """The columns of a file.

    Raises:
        UserError: it cannot be read, or is no table of whole numbers.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            head = file.readline().strip().split(",")
            values = np.loadtxt(file, dtype=np.int64, delimiter=",", ndmin=2)
    except (OSError, EOFError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path}: is no label file ({error})") from error
    if values.shape[1] != len(head):
        raise UserError(f"{path}: {len(head)} names for {values.shape[1]} columns")
    return dict(zip(head, values.T, strict=True))


def sha256(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_all(folder: Path, name: str, clean: reference.Clean) -> Iterator[Entry]:
    for line in SETTINGS[name]:
        sets = [clean.draw(name, line, seed) for seed in SEEDS]
        path = folder / name / f"{line.replace(':', '-').replace('=', '-')}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(path, _packed(sets))
        yield from _entries(path.relative_to(folder).as_posix(), sets, sha256(path))


def _packed(sets: Sequence[NoisyLabels]) -> bytes:
    columns = [np.arange(len(sets[0])), sets[0].clean, *(labels.noisy for labels in sets)]
    head = ",".join(("sample", "clean", *(f"seed_{labels.seed}" for labels in sets)))
    lines = (",".join(map(str, row)) for row in np.stack(columns, axis=1).tolist())
    return gzip.compress(("\n".join((head, *lines)) + "\n").encode(), mtime=0)


def _entries(file: str, sets: Iterable[NoisyLabels], digest: str) -> Iterator[Entry]:
    for labels in sets:
        yield Entry(
            file=file,
            column=f"seed_{labels.seed}",
            dataset=str(labels.dataset),
            noise=str(labels.spec),
            seed=labels.seed,
            samples=len(labels),
            realised=f"{labels.realised_rate:.6f}",
            fingerprint=labels.fingerprint,
            sha256=digest,
        )
