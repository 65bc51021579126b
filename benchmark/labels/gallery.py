"""The gallery: every noise model on one data set, with images of changed labels."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlbench import noise
from nlbench.benchmark.datasets import Dataset
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels import pictures as noise_pictures
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.labels.foreign_images import with_foreign
from nlbench.benchmark.pipeline.select import host
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.noise import NoiseError, NoisyLabels

PEOPLE = "cifar10_jpeg"
MATRIX = "matrix.csv"
LABELS = "labels.csv"


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
    Entry("asymmetric:0.4:legacy=sequential", "as APL, ELR, GJS do: some flip back"),
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
"""``given`` is not here: nobody knows which of its labels are wrong."""


def rows(
    name: str, seed: int, root: Path | None, entries: tuple[Entry, ...] = ENTRIES
) -> Iterator[tuple[Entry, noise_pictures.Row | str]]:
    """Draw every entry; yields its row of the picture, or why it cannot be shown here."""
    with tempfile.TemporaryDirectory() as folder:
        for entry in entries:
            try:
                yield entry, _row(entry, entry.dataset or name, seed, root, Path(folder))
            except (NoiseError, UserError) as error:
                yield entry, str(error)


def _row(entry: Entry, name: str, seed: int, root: Path | None, folder: Path) -> noise_pictures.Row:
    spec = DatasetSpec(name)
    dataset = host(spec, root)
    if entry.line.startswith(("file:", "transition:")):
        labels = _from_own_file(entry.line, dataset, seed, root, folder)
    else:
        labels = draw_labels(entry.line, spec, seed, root)
    images = with_foreign(dataset, labels, root)
    note = entry.note if entry.dataset is None else f"{entry.note}; on {dataset.label}"
    return noise_pictures.Row(labels, note, dataset.class_names, images)


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
