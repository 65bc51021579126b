"""The picture of docs/noise.md: every noise model on one data set, with images of changed labels.

``python -m tools.noise_gallery`` draws docs/noise-gallery.png again.
"""

from __future__ import annotations

import argparse
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from nlbench import noise
from nlbench.benchmark.datasets import Dataset
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.labels.foreign_images import with_foreign
from nlbench.benchmark.labels.pictures import heat_map
from nlbench.benchmark.pipeline.select import host
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.noise import NoiseError, NoisyLabels

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "noise-gallery.png"
EXAMPLES = 6
WIDTH, ROW_HEIGHT = 11.0, 1.42  # inches
PEOPLE = "cifar10_jpeg"
MATRIX = "matrix.csv"
LABELS = "labels.csv"
Pixels = NDArray[np.uint8 | np.float32]


@dataclass(frozen=True)
class Entry:
    """One row: a noise line, what it is known as, and a data set of its own if it needs one."""

    line: str
    note: str
    dataset: str | None = None


ENTRIES = (
    Entry("clean", "no noise; first image of six classes"),
    Entry("symmetric:0.4", "other classes only: SCE, APL, ANL"),
    Entry("symmetric:0.4:true=include", "all classes: ELR, SOP, GJS"),
    Entry("symmetric:0.4:true=include:count=overall", "as DivideMix counts it"),
    Entry("symmetric:0.4:count=bernoulli", "as Co-teaching, JoCoR draw it"),
    Entry("symmetric:0.4:legacy=equal-count", "as SCE, APL count it"),
    Entry("symmetric:0.4:legacy=truncated", "as RoG counts it"),
    Entry("symmetric:0.4:legacy=pair-truncated", "as ANL, JAL count it"),
    Entry("asymmetric:0.4:map=fashion_mnist/gce", "map of GCE"),
    Entry("asymmetric:0.4:map=fashion_mnist/cdr", "map of CDR"),
    Entry("asymmetric:0.4:map=fashion_mnist/third-script", "a third public map"),
    Entry("asymmetric:0.4:count=bernoulli", "as Patrini, JoCoR, PLC draw it"),
    Entry("asymmetric:0.4:legacy=sequential", "as APL, ELR, GJS: some flip back", PEOPLE),
    Entry("asymmetric:0.4:legacy=truncated", "as SCE, ANL, Drainage count it"),
    Entry("pair:0.4", "Co-teaching; AQuA's 'asymmetric'"),
    Entry(f"transition:{MATRIX}", "any matrix: here 0.6 kept, 0.3 to i+2, 0.1 to i-1"),
    Entry(f"transition:{MATRIX}:count=bernoulli", "one draw per sample, as Co-teaching"),
    Entry("instance:0.4", "part-dependent, standardised pixels"),
    Entry("instance:0.4:scale=unitnorm", "images of length 1"),
    Entry("instance:0.4:scale=unit:bias=legacy", "as Drainage draws it"),
    Entry("instance:0.4:scale=raw:bias=legacy", "as PDN, CDR draw it"),
    Entry("instance:0.4:projection=shared", "one projection"),
    Entry("instance:0.4:projection=shared:scale=raw:bias=legacy", "as CORES draws it"),
    Entry("confidence:0.4", "Chen et al.: the most confusable"),
    Entry("pmd:0.35:type=1", "PLC, type I"),
    Entry("pmd:0.35:type=2", "PLC, type II"),
    Entry("pmd:0.35:type=3", "PLC, type III"),
    Entry("pmd:0.35+symmetric:0.3", "PLC's hybrid"),
    Entry("openset:0.4:from=mnist", "foreign images, labels kept"),
    Entry("openset:0.2:from=mnist+symmetric:0.2", "open and closed set"),
    Entry("symmetric:0.2+instance:0.2", "a mixture"),
    Entry(f"file:{LABELS}", "a label file in Chen's layout: here confidence:0.2"),
    Entry("human:aggre", "majority of three people", PEOPLE),
    Entry("human:random1", "one person", PEOPLE),
    Entry("human:worse", "a wrong one if any", PEOPLE),
)
"""``given`` is not here: which of its labels are wrong is not known."""


@dataclass(frozen=True, eq=False)
class Row:
    """One row of the gallery: a label set, what it is known as, and the images (N, C, H, W)."""

    labels: NoisyLabels
    note: str
    names: Sequence[str]
    images: Pixels


def rows(
    name: str, seed: int, root: Path | None, entries: tuple[Entry, ...] = ENTRIES
) -> Iterator[tuple[Entry, Row | str]]:
    """Draw every entry; yields its row of the picture, or why it cannot be shown here."""
    with tempfile.TemporaryDirectory() as folder:
        for entry in entries:
            try:
                yield entry, _row(entry, entry.dataset or name, seed, root, Path(folder))
            except (NoiseError, UserError) as error:
                yield entry, str(error)


def _row(entry: Entry, name: str, seed: int, root: Path | None, folder: Path) -> Row:
    spec = DatasetSpec(name)
    dataset = host(spec, root)
    if entry.line.startswith(("file:", "transition:")):
        labels = _from_own_file(entry.line, dataset, seed, root, folder)
    else:
        labels = draw_labels(entry.line, spec, seed, root)
    images = with_foreign(dataset, labels, root)
    note = entry.note if entry.dataset is None else f"{entry.note}; on {dataset.label}"
    return Row(labels, note, dataset.class_names, images)


def _from_own_file(
    line: str, dataset: Dataset, seed: int, root: Path | None, folder: Path
) -> NoisyLabels:
    """Write the matrix or the label file that the line names, then draw from it."""
    k = dataset.num_classes
    if line.startswith("file:"):
        noise.export(draw_labels("confidence:0.2", DatasetSpec(dataset.name), seed, root),
                     folder / LABELS)  # fmt: skip
    else:
        eye = np.eye(k)
        matrix = 0.6 * eye + 0.3 * np.roll(eye, 2, axis=1) + 0.1 * np.roll(eye, -1, axis=1)
        np.savetxt(folder / MATRIX, matrix, fmt="%.6f", delimiter=",")
    return noise.make(
        line, dataset.y_train, num_classes=k, seed=seed, dataset=dataset.name, folder=folder
    )


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write one row per label set: its name, heat map, and images of changed labels (PNG)."""
    figure = Figure(figsize=(WIDTH, ROW_HEIGHT * len(rows)))
    grid = figure.subplots(
        len(rows),
        EXAMPLES + 2,
        squeeze=False,
        width_ratios=[2.3, *[1.0] * (EXAMPLES + 1)],
        gridspec_kw={"left": 0.005, "right": 0.995, "hspace": 0.42, "wspace": 0.08}
        | {"bottom": 0.1 / len(rows), "top": 1 - 0.35 / len(rows)},
    )
    for axes, row in zip(grid, rows, strict=True):
        _caption(axes[0], row)
        heat_map(axes[1], row.labels, row.names, annotate=False)
        _examples(axes[2:], row)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def _caption(axes: Axes, row: Row) -> None:
    """The line, its options below each other; realised rate; what it is known as."""
    axes.set_axis_off()
    first, *options = textwrap.wrap(
        str(row.labels.spec).replace(":", ": ").replace("+", " + "), 30, break_on_hyphens=False
    )
    name = "\n".join(word.replace(": ", ":").replace(" + ", "+") for word in (first, *options))
    low, high = np.nanmin(row.labels.per_class_rate), np.nanmax(row.labels.per_class_rate)
    facts = f"realised {row.labels.realised_rate:.4f}, classes {low:.3f} to {high:.3f}"
    text = "\n".join([facts, *textwrap.wrap(row.note, 36)])
    axes.text(0, 0.97, name, fontsize=9, weight="bold", va="top", transform=axes.transAxes)
    below = 0.97 - 0.2 * (1 + name.count("\n"))
    axes.text(0, below, text, fontsize=8, va="top", transform=axes.transAxes)


def _examples(axes_row: Sequence[Axes], row: Row) -> None:
    """The first changed (or foreign) images, one of each true class in turn; if none, any."""
    labels = row.labels
    where = np.flatnonzero(labels.corrupted if labels.corrupted.any() else labels.clean >= 0)
    order = np.argsort(_rank_within_class(labels.clean[where]), kind="stable")
    for axes in axes_row:
        axes.set_axis_off()
    for axes, i in zip(axes_row, where[order], strict=False):
        axes.imshow(row.images[i].transpose(1, 2, 0).squeeze(), cmap="gray_r")
        true, given = (row.names[c] for c in (labels.clean[i], labels.noisy[i]))
        axes.set_title(f"{true}\n→ {given}", fontsize=8, pad=3)


def _rank_within_class(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many samples of the same class come before each."""
    rank = np.zeros(len(classes), dtype=np.int64)
    for c in np.unique(classes):
        mine = classes == c
        rank[mine] = np.arange(mine.sum())
    return rank


def main() -> int:
    """Draw every row that can be shown here and list the others with the reason."""
    parser = argparse.ArgumentParser(prog="python -m tools.noise_gallery", description=__doc__)
    parser.add_argument("--dataset", default="fashion_mnist", metavar="NAME")
    parser.add_argument("--out", type=Path, default=PICTURE, metavar="FILE", help="PNG to write")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the data sets")
    args = parser.parse_args()
    drawn = rows(args.dataset, args.seed, args.data)
    found = list(tqdm(drawn, total=len(ENTRIES), unit="row", disable=None))
    shown = [row for _, row in found if isinstance(row, Row)]
    for entry, reason in found:
        if isinstance(reason, str):
            print(f"left out: {entry.line}: {reason}")
    if not shown:
        print(f"nothing can be shown on {args.dataset}")
        return 1
    draw(shown, args.out)
    print(f"{args.out}: {len(shown)} of {len(found)} rows, on {args.dataset}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
