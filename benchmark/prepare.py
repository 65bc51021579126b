"""From a RunSpec to the exact labels, split and batches of the run, and the proofs of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark import augment
from benchmark.augment import AugmentPlan
from benchmark.errors import UserError
from benchmark.spec import RunSpec
from benchmark.streams import Streams

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


@dataclass
class BatchPlan:
    """The order and the augmentations of every epoch, drawn ahead on the CPU; hashed as it is used.

    Row ``i`` of an epoch is the ``i``-th sample to be trained on: ``positions[i]`` in the training
    set, changed by row ``i`` of ``augmentation``.
    """

    spec: RunSpec
    train: Indices
    size: tuple[int, int]
    _next: int = 0
    _order: Any = field(default_factory=hashlib.sha256)
    _augment: Any = field(default_factory=hashlib.sha256)

    def epochs(self) -> Iterator[tuple[Indices, AugmentPlan]]:
        """Yield (positions, augmentation) of each epoch, once."""
        streams = Streams(self.spec.seed)
        while self._next < self.spec.recipe.epochs:
            epoch = self._next
            self._next += 1
            order = streams.generator("order", epoch).permutation(len(self.train))
            plan = augment.draw(
                self.spec.recipe.augment,
                len(self.train),
                self.size,
                streams.generator("augment", epoch),
            )
            self._order.update(order.astype("<i8").tobytes())
            self._augment.update(plan.to_bytes())
            yield self.train[order], plan

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of all orders and all augmentations, also of epochs a diverged run never saw."""
        for _ in self.epochs():
            pass
        return {"order": self._order.hexdigest(), "augment": self._augment.hexdigest()}


def check_batches(spec: RunSpec, samples: int) -> None:
    """Refuse a last batch of one sample: BatchNorm cannot take a variance of it (UserError)."""
    if samples < 2 or samples % spec.recipe.batch_size == 1:
        raise UserError(
            f"recipe: batch_size = {spec.recipe.batch_size} leaves a last batch of one of {samples}"
            " samples, of which BatchNorm has no variance; choose another batch size"
        )
