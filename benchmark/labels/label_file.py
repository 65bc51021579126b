"""A file of labels, against what it was made from: drawn again, and audited with its images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlbench import noise
from nlbench.benchmark.labels import pictures, tables
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.pipeline.select import host
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.noise import NoisyLabels, whole


def difference(labels: NoisyLabels, train_per_class: int | None, root: Path | None) -> str:
    """How the labels differ from those drawn again from their setting; empty if they do not.

    Args:
        labels: as they were saved.
        train_per_class: of the data set that they were made for; ``None``: all of it.
        root: data folder.

    Raises:
        NoiseError: labels of no data set of ours that do not come out again.
        UserError: the data set cannot be had.
    """
    if labels.dataset is None:
        noise.verify(labels)
        return ""
    spec = DatasetSpec(labels.dataset, train_per_class)
    again = draw_labels(str(labels.spec), spec, labels.seed, root)
    if again.fingerprint == labels.fingerprint:
        return ""
    if len(labels) != len(again):
        return (
            f"made for {len(labels)} samples, {labels.dataset} has {len(again)} here; was it made"
            " with --train-per-class?"
        )
    clean = int((labels.clean != again.clean).sum())
    noisy = int((labels.noisy != again.noisy).sum())
    return (
        f"{clean} clean and {noisy} noisy labels differ from those drawn again from {labels.spec},"
        f" seed {labels.seed}"
    )


@dataclass(frozen=True, eq=False)
class Audited:
    """Labels and what :func:`nlbench.noise.audit` found of them.

    Attributes:
        labels: the label set.
        found: the audit.
        names: of the classes.
    """

    labels: NoisyLabels
    found: Mapping[str, Any]
    names: Sequence[str]

    @property
    def text(self) -> str:
        """The audit as Markdown."""
        return tables.audit(self.found, self.names)

    def write(self, folder: Path) -> tuple[Path, ...]:
        """Write it as JSON, Markdown and a figure."""
        folder.mkdir(parents=True, exist_ok=True)
        as_json, page, figure = (folder / f"audit.{kind}" for kind in ("json", "md", "png"))
        whole.write_text(as_json, json.dumps(self.found, indent=1) + "\n")
        whole.write_text(page, self.text + "\n")
        pictures.transition(self.labels, self.names, figure)
        return as_json, page, figure


def audit(labels: NoisyLabels, train_per_class: int | None, root: Path | None) -> Audited:
    """Audit labels, with their images where they are of a data set (arguments as above)."""
    features, names = None, tuple(map(str, range(labels.num_classes)))
    if labels.dataset is not None:
        dataset = host(DatasetSpec(labels.dataset, train_per_class), root)
        features, names = np.ascontiguousarray(dataset.x_train), dataset.class_names
    return Audited(labels, noise.audit(labels, features), names)
