"""Plan: which runs of a suite are done, which are missing, and whether they can run at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from nlbench import baselines, noise
from nlbench.benchmark import models
from nlbench.benchmark.datasets import FileDataset
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.machine.device import check_precision
from nlbench.benchmark.metrics import outside
from nlbench.benchmark.pipeline import augment_kinds, select
from nlbench.benchmark.pipeline.batches import check_batches, draw_split
from nlbench.benchmark.runs.method_source import described, method_source
from nlbench.benchmark.runs.part_sources import part_sources
from nlbench.benchmark.spec.run_spec import MIN_SIZE, DatasetSpec, RunSpec
from nlbench.benchmark.store.collector import collector_paused
from nlbench.benchmark.store.outcomes import Outcome, Outcomes, outcomes
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites.suite import Suite
from nlbench.benchmark.training import limits, optimizer_outside
from nlbench.benchmark.training.limits import check_method, check_pixels


@dataclass(frozen=True)
class Plan:
    """What a call of ``nlbench run`` will do.

    Attributes:
        todo: runs without a record, and those whose record is to be replaced, in order.
        done: how the runs with a sound record ended, by run id, without those to be replaced.
        damaged: a line for each damaged record: which, why, where it was moved.
        replaced: outcomes whose records the runs to do will replace, by run id.
        outdated: outcomes whose records another source of their method, or of another part from
            outside, made; among those to be replaced, unless old ones are kept.
        foreign: run id -> why its record is none that this version reads; it is left alone, and
            the run is neither to do nor done.
        note: why the next call reads all records again, empty if it does not.
    """

    todo: tuple[RunSpec, ...]
    done: dict[str, Outcome]
    damaged: tuple[str, ...]
    replaced: dict[str, Outcome] = field(default_factory=dict)
    outdated: dict[str, Outcome] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def statuses(self) -> Counter[str]:
        """How many records have which status."""
        return Counter(outcome.status for outcome in self.done.values())


@collector_paused()
def make(
    suite: Suite,
    store: Store | None,
    retry: bool = False,
    keep_old: bool = False,
    force: Collection[str] = (),
) -> Plan:
    """Compare a suite with a store; sets damaged records aside.

    Args:
        suite: what is wanted.
        store: what is there; ``None`` = nothing.
        retry: whether failed runs are repeated.
        keep_old: whether records count that another source of one of their parts made.
        force: run ids that are repeated whatever is there.

    Raises:
        MethodError, UserError, NoiseError: a part whose source cannot be read.
    """
    found = outcomes(store, suite.specs) if store else Outcomes()
    sound, foreign = found.sound, found.foreign
    now = {name: method_source(name) for name in {spec.method.name for spec in suite.specs}}
    parts = {_settings(spec): spec for spec in suite.specs}
    parts_now = {settings: part_sources(spec) for settings, spec in parts.items()}
    outdated = {
        run_id: outcome
        for run_id, outcome in sound.items()
        if outcome.facts.method_source != now[outcome.spec.method.name]
        or outcome.facts.part_sources != parts_now[_settings(outcome.spec)]
    }
    replaced = {
        run_id: outcome
        for run_id, outcome in sound.items()
        if run_id in force
        or (retry and outcome.status == "failed")
        or (run_id in outdated and not keep_old)
    }
    done = sound
    if replaced:
        done = {run_id: outcome for run_id, outcome in sound.items() if run_id not in replaced}
    todo = tuple(s for s in suite.specs if s.run_id not in done and s.run_id not in foreign)
    return Plan(todo, done, found.damaged, replaced, outdated, foreign, found.note)


def _settings(spec: RunSpec) -> tuple[str | tuple[str, ...] | None, ...]:
    """Where a run's parts are named, its method apart."""
    data, recipe = spec.dataset, spec.recipe
    names = data.name, data.unknown, spec.noise, spec.model, recipe.optimizer, recipe.augment
    return *names, spec.metrics


def outdated_lines(plan: Plan) -> list[str]:
    """A line for each method and each other source that made records of it."""
    made = [(outcome.spec, outcome.facts) for outcome in plan.outdated.values()]
    counts = Counter(
        (spec.method.name, facts.method_source)
        for spec, facts in made
        if facts.method_source != method_source(spec.method.name)
    )
    parts = Counter(
        part
        for spec, facts in made
        for part, source in part_sources(spec).items()
        if facts.part_sources.get(part) != source
    )
    return [
        f"method {name!r}: {count} record{'s were' if count > 1 else ' was'} made by another source"
        f" ({described(name, old)}; now {described(name, method_source(name))})"
        for (name, old), count in sorted(counts.items())
    ] + [
        f"{part}: {count} record{'s were' if count > 1 else ' was'} made by another source"
        for part, count in sorted(parts.items())
    ]


def streamed(specs: Sequence[RunSpec], root: Path | None) -> bool:
    """Whether any of the data sets stays in files: only backend ``loop`` trains on those."""
    described = (select.described(data, root) for data in {spec.dataset for spec in specs})
    return any(isinstance(dataset, FileDataset) for dataset in described)


def check(
    specs: Sequence[RunSpec], root: Path | None, device: torch.device, train: bool = True
) -> list[str]:
    """Refuse what could not be trained, before anything is: data, labels, split, batches, model.

    Every distinct (data set, noise) is drawn once, every distinct (data set, model) is built.
    Files of images and of published weights must be there; images are not decoded. Metrics from
    outside are tried on random predictions.

    Args:
        specs: the runs.
        root: data folder.
        device: where a network is trained if noise needs one's confidences.
        train: whether it may be trained.

    Returns:
        The noise lines that were not drawn, for they need such a network.

    Raises:
        UserError, noise.NoiseError: what does not fit, with its name.
    """
    for recipe in {s.recipe for s in specs}:
        optimizer_outside.check(recipe)
    for precision in {s.recipe.precision for s in specs}:
        check_precision(precision, device)
    left = []
    for spec in {(s.dataset, s.noise, s.recipe.batch_size, s.model): s for s in specs}.values():
        dataset = select.described(spec.dataset, root)
        from_files = isinstance(dataset, FileDataset)
        augment_kinds.check_fits(spec.recipe.augment, from_files, dataset.name)
        models.weights_file(spec.model, root)
        if not from_files:
            select.unknown_images(spec.dataset, root)
        if train or "softmax" not in noise.needs(spec.noise):
            draw_labels(spec.noise, spec.dataset, spec.seed, root, device)
        else:
            left.append(spec.noise)
        check_batches(spec, len(draw_split(spec, len(dataset.y_train)).train))
        models.build(spec.model, dataset.in_shape, dataset.num_classes)
        if isinstance(dataset, FileDataset):
            _check_size(spec.dataset, dataset)
    _check_metrics(specs, root)
    for spec in {(s.dataset, s.noise, s.method): s for s in specs}.values():
        dataset = select.described(spec.dataset, root)
        in_files = isinstance(dataset, FileDataset)
        method = baselines.create(spec.method.name, spec.method.values)
        check_method(method, spec.dataset.name, in_files, spec.noise, spec.dataset.holdout)
        if not isinstance(dataset, FileDataset):
            check_pixels(method, spec.dataset.name, str(dataset.x_train.dtype))
    return list(dict.fromkeys(left))


def _check_metrics(specs: Sequence[RunSpec], root: Path | None) -> None:
    """Refuse a metric from outside that has no value for random predictions (UserError)."""
    for data, names in {(s.dataset, s.metrics): None for s in specs}:
        for name in names:
            dataset = select.described(data, root)
            outside.try_out(name, dataset.y_test, dataset.num_classes)


def refusal(specs: Sequence[RunSpec], backend: str) -> str:
    """Why a backend cannot train all of these runs, by the first method it does not; else empty."""
    reasons = (
        limits.refusal(backend, baselines.create(method.name, method.values), recipe)
        for method, recipe in dict.fromkeys((spec.method, spec.recipe) for spec in specs)
    )
    return next(filter(None, reasons), "")


def _check_size(spec: DatasetSpec, dataset: FileDataset) -> None:
    """Refuse to enlarge small images unasked: it costs time and adds nothing (UserError)."""
    side = dataset.train.shorter_side()
    if spec.size is None and side is not None and side < dataset.size:
        raise UserError(
            f"data set {spec.name!r}: half of its images have a side of {side} pixels or fewer and"
            f" would be enlarged to {dataset.size}; write size = {max(side, MIN_SIZE)} (or"
            f" another, {dataset.size} among them) into the suite's table dataset"
        )
