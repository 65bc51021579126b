"""Resident data: a data set's images on the device, as uint8, loaded once per process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from nlbench.benchmark.datasets import Dataset, FileDataset
from nlbench.benchmark.pipeline.augment import AugmentPlan, apply
from nlbench.benchmark.pipeline.select import described, host, unknown_images
from nlbench.benchmark.pipeline.streaming import Streamed
from nlbench.benchmark.spec.run_spec import DatasetSpec


@dataclass(frozen=True)
class Resident:
    """Images and clean labels on the device; ``dataset`` is the host's copy.

    Attributes:
        x_train: (N, C, H, W), uint8 (float32 for float data), channels_last.
        x_test: (M, C, H, W), the same.
        y_test: (M,) int64.
        x_unknown: (U, C, H, W), test images of what is unknown, if anything is declared to be.
    """

    dataset: Dataset
    x_train: Tensor
    x_test: Tensor
    y_test: Tensor
    x_unknown: Tensor | None = None

    def training_batches(
        self, rows: Tensor, plan: AugmentPlan, size: int
    ) -> Iterator[tuple[slice, Tensor]]:
        """Augmented batches of an epoch: where in it they are, and the images."""
        for start in range(0, len(rows), size):
            at = slice(start, start + size)
            yield at, apply(self.x_train, plan[at], rows[at])


def supply(
    spec: DatasetSpec, root: Path | None, device: torch.device, loaders: int
) -> Resident | Streamed:
    """Where a run's images come from: memory, or files that so many threads decode."""
    dataset = described(spec, root)
    if isinstance(dataset, FileDataset):
        return Streamed(dataset, device, loaders)
    return resident(spec, root, device)


@lru_cache(maxsize=2)
def resident(spec: DatasetSpec, root: Path | None, device: torch.device) -> Resident:
    """The data set on the device; kept for the next run of this process that needs the same."""
    dataset = host(spec, root)
    foreign = unknown_images(spec, root)
    return Resident(
        dataset=dataset,
        x_train=to_device(dataset.x_train, device),
        x_test=to_device(dataset.x_test, device),
        y_test=torch.from_numpy(dataset.y_test.copy()).to(device),
        x_unknown=None if foreign is None else to_device(foreign, device),
    )


def to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """Images (N, C, H, W) as a channels_last tensor on the device.

    On a CPU an array that is in this order already is not copied: all processes of the machine
    share it, and nobody writes to it.
    """
    with warnings.catch_warnings():
        # torch has no tensors that cannot be written to, and warns of that.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        tensor = torch.from_numpy(array)
    return tensor.to(device).contiguous(memory_format=torch.channels_last)
