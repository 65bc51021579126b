"""From a RunSpec to the exact labels, split and batches of the run, and the proofs of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nlbench.baselines import Mixing
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline import augment
from nlbench.benchmark.pipeline.augment import AugmentPlan
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.streams import Streams

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Positions in the training set: what is trained on, what is held out."""

    train: Indices
    validation: Indices

    @property
    def fingerprint(self) -> str:
        """SHA-256 over both index lists."""
        digest = hashlib.sha256(self.train.astype("<i8").tobytes())
        digest.update(b"|" + self.validation.astype("<i8").tobytes())
        return digest.hexdigest()


def draw_split(spec: RunSpec, samples: int) -> Split:
    """Hold out a share of the training set at random, labels unseen.

    Noise first, then split (as PDN and T-Revision do), so the held-out images have noisy labels for
    the realistic selection rule and clean ones for the idealised rule.

    Raises:
        UserError: nothing is left on one side although a share was asked for.
    """
    held = round(spec.dataset.holdout * samples)
    if (spec.dataset.holdout > 0 and held == 0) or held >= samples:
        raise UserError(
            f"dataset: holdout = {spec.dataset.holdout} of {samples} training samples leaves"
            f" {held} for validation and {samples - held} for training"
        )
    order = Streams(spec.seed).generator("split").permutation(samples)
    return Split(train=np.sort(order[held:]), validation=np.sort(order[:held]))


@dataclass(frozen=True)
class Mixes:
    """How the batches of an epoch are mixed.

    Attributes:
        weights: (steps,) float64, the share of each image itself.
        partners: (n,) int64, the place within its batch of the other image.
    """

    weights: Tensor
    partners: Tensor


@dataclass(frozen=True)
class Epoch:
    """Everything random of one epoch.

    Row ``i`` is the ``i``-th sample to be trained on: ``positions[i]`` in the training set, changed
    by row ``i`` of each view.

    Attributes:
        number: counted from 0.
        positions: (n,) in the training set.
        views: how images are augmented; the first is the same for every method.
        mixes: how batches are mixed, if they are.
    """

    number: int
    positions: Indices
    views: tuple[AugmentPlan, ...]
    mixes: Mixes | None = None


@dataclass
class BatchPlan:
    """The order and the augmentations of every epoch, drawn ahead on the CPU; hashed as it is used.

    Attributes:
        spec: of the run.
        train: samples trained on.
        size: height and width of the images.
        views: augmentations of each image.
        mixing: how batches are mixed.
        strong: whether the augmentations after the first are strong.
    """

    spec: RunSpec
    train: Indices
    size: tuple[int, int]
    views: int = 1
    mixing: Mixing | None = None
    strong: bool = False
    _next: int = 0
    _order: Any = field(default_factory=hashlib.sha256)
    _augment: Any = field(default_factory=hashlib.sha256)

    def epochs(self) -> Iterator[Epoch]:
        """Yield each epoch, once."""
        while self._next < self.spec.recipe.epochs:
            yield self.take(self._next)

    def take(self, number: int) -> Epoch:
        """An epoch by its number, any of them, to be trained; hashed when it comes first."""
        order, epoch = self._drawn(number)
        if number == self._next < self.spec.recipe.epochs:
            self._next += 1
            self._order.update(order.astype("<i8").tobytes())
            self._augment.update(epoch.views[0].to_bytes())
        return epoch

    def epoch(self, number: int) -> Epoch:
        """An epoch by its number, any of them, without using it up."""
        return self._drawn(number)[1]

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of all orders and all augmentations, also of epochs a diverged run never saw."""
        for _ in self.epochs():
            pass
        return {"order": self._order.hexdigest(), "augment": self._augment.hexdigest()}

    def _drawn(self, number: int) -> tuple[Indices, Epoch]:
        """The order, and the epoch in that order."""
        streams, count = Streams(self.spec.seed), len(self.train)
        order = streams.generator("order", number).permutation(count)
        first = self._view(streams.generator("augment", number))
        others = (
            self._view(streams.generator("augment", number, "view", view), self.strong)
            for view in range(1, self.views)
        )
        return order, Epoch(number, self.train[order], (first, *others), self._mixes(number))

    def _view(self, generator: np.random.Generator, strong: bool = False) -> AugmentPlan:
        kind = self.spec.recipe.augment
        return augment.draw(kind, len(self.train), self.size, generator, strong)

    def _mixes(self, number: int) -> Mixes | None:
        """The weights of all steps first, then a permutation of each batch."""
        if self.mixing is None:
            return None
        generator = Streams(self.spec.seed).generator("mix", number)
        sizes = batch_sizes(len(self.train), self.spec.recipe.batch_size)
        alpha = self.mixing.alpha
        weights = generator.beta(alpha, alpha, len(sizes)) if alpha > 0 else np.ones(len(sizes))
        if self.mixing.folded:
            weights = np.maximum(weights, 1 - weights)
        partners = np.concatenate([generator.permutation(size) for size in sizes])
        return Mixes(torch.from_numpy(weights), torch.from_numpy(partners))


def batch_sizes(samples: int, size: int) -> list[int]:
    """How many samples each step of an epoch has."""
    return [min(size, samples - at) for at in range(0, samples, size)]


def check_batches(spec: RunSpec, samples: int) -> None:
    """Refuse a last batch of one sample: BatchNorm cannot take a variance of it (UserError)."""
    if samples < 2 or samples % spec.recipe.batch_size == 1:
        raise UserError(
            f"recipe: batch_size = {spec.recipe.batch_size} leaves a last batch of one of {samples}"
            " samples, of which BatchNorm has no variance; choose another batch size"
        )
