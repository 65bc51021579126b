"""Inputs: what is drawn for an epoch or for one of its batches, as tensors on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nlbench.baselines import Mixed
from nlbench.benchmark.pipeline.augment import AugmentPlan
from nlbench.benchmark.pipeline.batches import Epoch


@dataclass(frozen=True)
class Inputs:
    """Which samples, how their images are augmented, and how they are mixed.

    Attributes:
        rows: (n,) places in the training set.
        views: one plan of n rows for each view.
        mixed: of an epoch the weight of every step, (steps,), of a batch its own; ``None`` for
            methods that do not mix.
    """

    rows: Tensor
    views: tuple[AugmentPlan, ...]
    mixed: Mixed | None = None

    @classmethod
    def of_epoch(cls, epoch: Epoch, dtype: torch.dtype) -> Inputs:
        """Those of an epoch, on the CPU; mixing weights in the precision of the images."""
        mixes = epoch.mixes
        mixed = None if mixes is None else Mixed(mixes.weights.to(dtype), mixes.partners)
        return cls(torch.from_numpy(epoch.positions), epoch.views, mixed)

    def of(self, step: int, at: slice) -> Inputs:
        """Those of one batch of an epoch, as views of these tensors."""
        mixed = self.mixed
        if mixed is not None:
            mixed = Mixed(mixed.weight[step], mixed.partner[at])
        return Inputs(self.rows[at], tuple(plan[at] for plan in self.views), mixed)

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Inputs:
        """The inputs with every tensor changed."""
        mixed = self.mixed
        if mixed is not None:
            mixed = Mixed(change(mixed.weight), change(mixed.partner))
        views = tuple(plan.mapped(change) for plan in self.views)
        return Inputs(change(self.rows), views, mixed)

    def tensors(self) -> list[Tensor]:
        """Every tensor, in one order."""
        parts = [self.rows]
        for plan in self.views:
            parts += plan.tensors()
        return parts if self.mixed is None else [*parts, self.mixed.weight, self.mixed.partner]
