"""What a training backend is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from baselines import Method
from benchmark.prepare import BatchPlan, Split
from benchmark.recipe import Recipe
from benchmark.record import CURVES
from benchmark.resident import Resident
from noise import NoisyLabels


@dataclass(frozen=True)
class Task:
    """One run, ready to train: everything random has been decided.

    Attributes:
        network: initialised, on the device, in the recipe's memory format and master precision.
        method: loss and prediction.
        data: images on the device.
        labels: of the whole training set.
        split: what is trained on and what validates.
        plan: order and augmentation of every epoch; used up by the training.
        recipe: optimisation settings.
        device: where all of it is.
    """

    network: nn.Module
    method: Method
    data: Resident
    labels: NoisyLabels
    split: Split
    plan: BatchPlan
    recipe: Recipe
    device: torch.device


@dataclass
class Outcome:
    """What a training gave: curves per epoch, and the test images it got right at the end.

    Attributes:
        curves: one list per name in :data:`benchmark.record.CURVES`.
        correct: (M,) bool at the last finished epoch, ``None`` before the first.
        diverged: the epoch, counted from 1, after which loss or weights were not finite.
    """

    curves: dict[str, list[float | None]] = field(
        default_factory=lambda: {name: [] for name in CURVES}
    )
    correct: NDArray[np.bool_] | None = None
    diverged: int | None = None


class Backend(Protocol):
    """A way to train. ``name`` goes into the record's environment."""

    name: str

    def train(self, task: Task) -> Outcome:
        """Train to the last epoch, or until something is not finite."""
        ...
