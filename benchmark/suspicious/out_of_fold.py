"""Out-of-fold probabilities: every sample is judged by a network that was not trained on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from nlbench.baselines import Method
from nlbench.benchmark.datasets import Dataset
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.device import repeatable, resolve
from nlbench.benchmark.models import check_name, fitting
from nlbench.benchmark.pipeline.batches import BatchPlan, Split
from nlbench.benchmark.pipeline.in_memory import Resident, to_device
from nlbench.benchmark.runs.evaluate import outputs
from nlbench.benchmark.runs.prepare import networks
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.suspicious import kept
from nlbench.benchmark.suspicious.folds import Labels, assign
from nlbench.benchmark.suspicious.judge import Probabilities
from nlbench.benchmark.suspicious.samples import Samples
from nlbench.benchmark.training.images import memory_format
from nlbench.benchmark.training.limits import check_method, check_pixels
from nlbench.benchmark.training.loop import LoopBackend
from nlbench.benchmark.training.task import Task, train
from nlbench.noise import NoiseSpec, NoisyLabels

METHODS = ("ce", "gce")
BATCH = 32
EPOCHS, STEPS = 10, 300
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Setting:
    """How networks are trained to judge labels.

    Attributes:
        folds: parts of the data; each is judged by networks trained on the others.
        epochs: of each training; ``None``: EPOCHS, more where these are not STEPS steps.
        lr: learning rate at the beginning.
        model: network; ``None``: the small one that fits the images.
        seed: of folds, first weights and batches.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads.
    """

    folds: int = 5
    epochs: int | None = None
    lr: float = 0.02
    model: str | None = None
    seed: int = 0
    device: str = "auto"
    threads: int = 1

    def settled(self, samples: Samples) -> Setting:
        """With network and epochs that fit the samples, where none are named.

        Raises:
            UserError: there is no such network.
        """
        model = fitting(min(samples.images.shape[2:])) if self.model is None else self.model
        check_name(model)
        steps = max(1, len(samples) * (self.folds - 1) // (self.folds * BATCH))
        return replace(self, model=model, epochs=self.epochs or max(EPOCHS, -(-STEPS // steps)))


def out_of_fold(
    samples: Samples,
    methods: dict[str, Method],
    setting: Setting,
    folder: Path | None = None,
    tell: Tell = lambda _line: None,
) -> dict[str, Probabilities]:
    """Probabilities (N, K) of each method for all samples.

    Args:
        samples: what is judged.
        methods: by what they are called.
        setting: how they are trained.
        folder: where finished folds are kept, so that the same call goes on from them.
        tell: takes a line on each fold.

    Raises:
        UserError, MethodError: a method that cannot be trained on this, a class that is too small.
    """
    plan = _Plan(samples, setting.settled(samples))
    for method in methods.values():
        check_method(method, samples.name, False, "given", 0)
        check_pixels(method, samples.name, str(samples.images.dtype))
    found = {}
    for name, method in methods.items():
        place = None if folder is None else folder / plan.identity(method)[:16]
        found[name] = np.zeros((len(samples), samples.num_classes))
        for fold in range(setting.folds):
            rows = np.flatnonzero(plan.folds == fold)
            shape = len(rows), samples.num_classes
            part = None if place is None else kept.load(place, fold, shape, tell)
            if part is None:
                tell(f"{name}: fold {fold + 1} of {setting.folds}")
                part = plan.judged(method, fold)
                if place is not None:
                    kept.save(place, fold, part)
            found[name][rows] = part
    return found


class _Plan:
    """One data set, its folds and its recipe."""

    def __init__(self, samples: Samples, setting: Setting) -> None:
        self.samples = samples
        self.setting = setting
        self.device = resolve(setting.device)
        self.folds = assign(samples.given, samples.class_names, setting.folds, setting.seed)
        sizes = len(samples) - np.bincount(self.folds)
        self.recipe = Recipe(
            epochs=setting.epochs or EPOCHS,
            batch_size=_batch_size(sizes),
            lr=setting.lr,
            weight_decay=5e-4,
            eval_every=setting.epochs or EPOCHS,
        )

    def spec(self, method: Method) -> RunSpec:
        """What is drawn and trained, in the terms of a run."""
        return RunSpec(
            dataset=DatasetSpec(self.samples.name),
            model=self.setting.model or "",
            method=MethodSpec.of(method.name, method.params()),
            noise="given",
            seed=self.setting.seed,
            recipe=self.recipe,
        )

    def identity(self, method: Method) -> str:
        """Of everything that decides the probabilities of a method."""
        return kept.identity(self.spec(method), self.samples.fingerprint, self.setting.folds)

    def judged(self, method: Method, fold: int) -> Probabilities:
        """Train on the other folds; probabilities of the classes for the samples of this one."""
        train_on, judge_on = (
            np.flatnonzero(part) for part in (self.folds != fold, self.folds == fold)
        )
        dataset = self.samples.part(train_on, judge_on)
        with repeatable(self.setting.threads):
            task = self._task(self.spec(method), method, dataset)
            outcome = train(LoopBackend(), task)
            if outcome.diverged is not None:
                raise UserError(
                    f"method {method.name!r} diverged in fold {fold + 1}, epoch {outcome.diverged}:"
                    f" try a learning rate below {self.recipe.lr:g}"
                )
            logits = method.class_logits(outputs(task, task.data.x_test)).double()
            return logits.softmax(dim=1).cpu().numpy()

    def _task(self, spec: RunSpec, method: Method, dataset: Dataset) -> Task:
        first, *others = (
            memory_format(network.to(self.device))
            for network in networks(spec, method, dataset, None)
        )
        rows = np.arange(len(dataset.y_train))
        return Task(
            network=first,
            others=tuple(others),
            method=method,
            data=_resident(dataset, self.device),
            labels=_given(dataset, self.setting.seed),
            split=Split(rows, rows[:0]),
            plan=BatchPlan(
                spec,
                rows,
                dataset.in_shape[1:],
                method.views,
                method.mixing(),
                method.strong_views,
            ),
            recipe=spec.recipe,
            device=self.device,
            seed=spec.seed,
        )


def _batch_size(sizes: Labels) -> int:
    """BATCH, or a little more where it would leave a last batch of one, without a variance."""
    return next(b for b in range(BATCH, 2**20) if not (sizes % b == 1).any())


def _resident(dataset: Dataset, device: torch.device) -> Resident:
    return Resident(
        dataset=dataset,
        x_train=to_device(dataset.x_train, device),
        x_test=to_device(dataset.x_test, device),
        y_test=torch.from_numpy(dataset.y_test.copy()).to(device),
    )


def _given(dataset: Dataset, seed: int) -> NoisyLabels:
    return NoisyLabels(
        noisy=dataset.y_train,
        clean=dataset.y_train,
        num_classes=dataset.num_classes,
        spec=NoiseSpec.parse("given"),
        seed=seed,
    )
