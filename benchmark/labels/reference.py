"""Reference labels: the published table of label-set fingerprints, made and checked here.

Needs no torch: ``python -m nlbench.benchmark.labels.reference TABLE [DATA]`` draws a table again
wherever
NumPy, SciPy, scikit-learn and Pillow run.
"""

from __future__ import annotations

import csv
import io
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import scipy
from numpy.typing import NDArray

from nlbench import noise
from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError, unknown
from nlbench.noise import NoisyLabels, whole
from nlbench.noise.safe_pickle import read_pt

SEEDS = range(10)
SYMMETRIC = tuple(f"symmetric:{rate}" for rate in (0.2, 0.4, 0.6, 0.8))
PAIR = ("pair:0.2", "pair:0.45")
RATES = (0.1, 0.2, 0.3, 0.4, 0.45)
LABEL_ONLY = (*SYMMETRIC, *(f"asymmetric:{rate}" for rate in RATES), *PAIR)
INSTANCE = tuple(f"instance:{rate}" for rate in (0.2, 0.4, 0.5, 0.6))
BLOCK5 = tuple(f"asymmetric:{rate}:map=block5" for rate in RATES)
SUPERCLASS = tuple(f"asymmetric:{rate}:map=superclass" for rate in RATES)
# The other counts, the published faults, other scalings, open-set noise, mixtures.
COUNTS = tuple(f"symmetric:0.4:{o}" for o in ("true=include", "count=overall", "count=bernoulli"))
LEGACY = (
    *(f"symmetric:0.4:legacy={o}" for o in ("equal-count", "truncated", "pair-truncated")),
    *(f"asymmetric:0.4:{o}" for o in ("count=bernoulli", "legacy=truncated")),
)
SEQUENTIAL = "asymmetric:0.4:legacy=sequential"
DIVIDEMIX = tuple(f"symmetric:{rate}:true=include:count=overall" for rate in (0.2, 0.5, 0.8, 0.9))
PDN = tuple(f"instance:{rate}:scale=raw:bias=legacy" for rate in (0.1, 0.2, 0.4))
SCALED = (
    "instance:0.2:scale=unit:bias=legacy",
    "instance:0.4:scale=unitnorm",
    "instance:0.4:projection=shared",
    "instance:0.4:projection=shared:scale=raw:bias=legacy",
    "symmetric:0.2+instance:0.2",
)
OPEN = ("openset:0.4:from=mnist", "openset:0.2:from=mnist+symmetric:0.2")
MAPS = tuple(f"asymmetric:{r}:map={name}" for name in ("cdr", "third-script") for r in (0.2, 0.4))
HUMAN = tuple(f"human:{name}" for name in ("aggre", "worse", "random1", "random2", "random3"))
PUBLISHED_FILES = (*HUMAN, "human:fine")

# Which settings are published for which data set. The labels of cifar10_jpeg are those of CIFAR-10,
# so its label-only rows hold for both; its instance rows come from the JPEG pixels.
PUBLISHED: dict[str, tuple[str, ...]] = {
    "digits": LABEL_ONLY + INSTANCE + COUNTS + LEGACY + PDN + SCALED + OPEN,
    "mnist": LABEL_ONLY + INSTANCE + LEGACY,
    "fashion_mnist": LABEL_ONLY + INSTANCE + MAPS + PDN + SCALED + OPEN,
    "cifar10": (*LABEL_ONLY, *DIVIDEMIX, *LEGACY, SEQUENTIAL, *HUMAN),
    "cifar10_jpeg": LABEL_ONLY + INSTANCE + PDN + SCALED + HUMAN,
    "cifar100": SYMMETRIC + BLOCK5 + SUPERCLASS + PAIR
    + (*DIVIDEMIX, "symmetric:0.2:legacy=pair-truncated", "asymmetric:0.4:map=sce", "human:fine"),
}  # fmt: skip
# Settings that the table once held and keeps with a note, so that who used one finds out.
_NOT_ON_MNIST = (
    "withdrawn: no code takes the sources of MNIST's map from the labels being changed; APL, ALF,"
    " CDR, ELR, GJS and SOP do so on CIFAR-10 only, and draw by a matrix here (count=bernoulli)"
)
WITHDRAWN = {("digits", SEQUENTIAL): _NOT_ON_MNIST, ("mnist", SEQUENTIAL): _NOT_ON_MNIST}
# The CIFAR-N files (Wei et al. 2022) carry the clean labels in torchvision's order: enough for
# noise that depends on labels only.
CLEAN_FILES = {
    "cifar10": ("CIFAR-10_human.pt", "clean_label", 10),
    "cifar100": ("CIFAR-100_human.pt", "clean_label", 100),
}


@dataclass(frozen=True)
class Row:
    """One label set: how to draw it, and what must come out; a ``note`` if it is withdrawn."""

    dataset: str
    noise: str
    seed: int
    samples: int
    realised: str
    fingerprint: str
    note: str = ""


@dataclass(frozen=True)
class Clean:
    """Clean training labels of a data set, and its pixels where the images are there."""

    labels: NDArray[np.int64]
    num_classes: int
    pixels: NDArray[np.uint8 | np.float32] | None
    folder: Path

    def draw(self, dataset: str, line: str, seed: int) -> NoisyLabels:
        """The noisy labels of one row."""
        return noise.make(
            line,
            self.labels,
            num_classes=self.num_classes,
            seed=seed,
            features=None if self.pixels is None else {"pixels": self.pixels},
            dataset=dataset,
            folder=self.folder,
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
            raise UserError(str(error)) from None
        return found
    return Clean(data.y_train, data.num_classes, np.ascontiguousarray(data.x_train), folder)


def seeds(line: str) -> range:
    """The published seeds of a line; human labels are the same for all of them."""
    return SEEDS[:1] if line in PUBLISHED_FILES else SEEDS


def make(names: Iterable[str], root: Path | None) -> Iterator[Row]:
    """Draw every published label set of these data sets, without those that are withdrawn."""
    for name in names:
        clean = clean_of(name, root)
        for line in PUBLISHED[name]:
            for seed in seeds(line):
                yield _row(name, line, seed, clean.draw(name, line, seed))


def check(rows: Sequence[Row], root: Path | None) -> Iterator[tuple[Row, str]]:
    """Draw each row again; yields (row, ``""``) where it agrees, else what came out instead.

    A data set that is not there, and a row that is withdrawn, yield a message that starts with
    ``skipped``.
    """
    notes = {row: row.note or WITHDRAWN.get((row.dataset, row.noise), "") for row in rows}
    yield from ((row, f"skipped: {note}") for row, note in notes.items() if note)
    for name in dict.fromkeys(row.dataset for row in rows):
        mine = [row for row in rows if row.dataset == name and not notes[row]]
        try:
            clean = clean_of(name, root)
        except UserError as error:
            yield from ((row, f"skipped: {error}") for row in mine)
            continue
        for row in mine:
            yield row, _problem(row, clean)


def _problem(row: Row, clean: Clean) -> str:
    try:
        labels = clean.draw(row.dataset, row.noise, row.seed)
    except noise.NoiseError as error:
        missing = row.noise in PUBLISHED_FILES and "human labels: no " in str(error)
        return f"skipped: {error}" if missing else f"cannot be drawn: {error}"
    again = _row(row.dataset, row.noise, row.seed, labels)
    return "" if again == row else f"drawn again it is {again.fingerprint}"


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
    # Tables made before rows were withdrawn have no column of notes.
    if not lines or list(lines[0]) not in (names, names[:-1]):
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
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, [f.name for f in fields(Row)], lineterminator="\n")
    table.writeheader()
    for count, row in enumerate(rows, 1):  # noqa: B007  # the last number is the answer
        table.writerow(asdict(row))
    whole.write_text(path, text.getvalue())
    return count


def machine() -> str:
    """What decides the last bits of floating-point sums, in words: processor and libraries."""
    numpy, sp = f"NumPy {np.__version__}", f"SciPy {scipy.__version__}"
    return f"{platform.machine()}, Python {platform.python_version()}, {numpy}, {sp}"


def main(arguments: Sequence[str]) -> int:
    """Draw the rows of a table again and print what differs; 0 if some could and all agree."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m nlbench.benchmark.labels.reference TABLE [DATA]\n")
        return 2
    root = Path(arguments[1]) if len(arguments) == 2 else None
    found: dict[str, list[str]] = {"sound": [], "skipped": [], "differs": []}
    for row, problem in check(read(Path(arguments[0])), root):
        kind = "skipped" if problem.startswith("skipped") else "differs" if problem else "sound"
        found[kind].append(f"{row.dataset} {row.noise} seed {row.seed}: {problem}")
    counts = ", ".join(f"{len(rows)} {kind}" for kind, rows in found.items())
    sys.stdout.write("\n".join([*found["differs"], f"{machine()}: {counts}\n"]))
    return 0 if found["sound"] and not found["differs"] else 1


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
            return Clean(labels, classes, None, folder)
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
