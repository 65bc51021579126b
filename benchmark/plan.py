"""Plan: which runs of a suite are done, which are missing, and whether they can run at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmark import augment, models, resident
from benchmark.datasets import FileDataset
from benchmark.device import check_precision
from benchmark.labels import draw_labels
from benchmark.prepare import check_batches, draw_split
from benchmark.record import RunRecord
from benchmark.spec import RunSpec
from benchmark.store import Store
from benchmark.suite import Suite


@dataclass(frozen=True)
class Plan:
    """What a call of ``nlbench run`` will do.

    Attributes:
        todo: runs without a sound record (and failed ones, if they are to be retried), in order.
        done: the sound records by run id.
        damaged: a line for each damaged record: which, why, where it was moved.
    """

    todo: tuple[RunSpec, ...]
    done: dict[str, RunRecord]
    damaged: tuple[str, ...]

    @property
    def statuses(self) -> Counter[str]:
        """How many records have which status."""
        return Counter(record.status for record in self.done.values())


def make(suite: Suite, store: Store | None, retry: bool = False) -> Plan:
    """Compare a suite with a store (``None`` = nothing done yet); sets damaged records aside."""
    done, damaged = store.sweep(s.run_id for s in suite.specs) if store else ({}, [])
    if retry:
        done = {run_id: record for run_id, record in done.items() if record.status != "failed"}
    todo = tuple(spec for spec in suite.specs if spec.run_id not in done)
    return Plan(todo, done, tuple(damaged))


def streamed(specs: Sequence[RunSpec], root: Path | None) -> bool:
    """Whether any of the data sets stays in files: only backend ``loop`` trains on those."""
    described = (resident.described(data, root) for data in {spec.dataset for spec in specs})
    return any(isinstance(dataset, FileDataset) for dataset in described)


def check(specs: Sequence[RunSpec], root: Path | None, device: torch.device) -> None:
    """Refuse what could not be trained, before anything is: data, labels, split, batches, model.

    Every distinct (data set, noise) is drawn once, every distinct (data set, model) is built.
    Files of images and of published weights must be there; images are not decoded.

    Raises:
        UserError, noise.NoiseError: what does not fit, with its name.
    """
    for precision in {s.recipe.precision for s in specs}:
        check_precision(precision, device)
    for spec in {(s.dataset, s.noise, s.recipe.batch_size, s.model): s for s in specs}.values():
        dataset = resident.described(spec.dataset, root)
        augment.check_fits(spec.recipe.augment, isinstance(dataset, FileDataset), dataset.name)
        models.weights_file(spec.model, root)
        if not isinstance(dataset, FileDataset):
            resident.unknown_images(spec.dataset, root)
        draw_labels(spec.noise, spec.dataset, spec.seed, root, device)
        check_batches(spec, len(draw_split(spec, len(dataset.y_train)).train))
        models.build(spec.model, dataset.in_shape, dataset.num_classes)
