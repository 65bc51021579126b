"""Resident data: a data set's images on the device, as uint8, loaded once per process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark import datasets
from benchmark.datasets import Dataset
from benchmark.spec import DatasetSpec


@dataclass(frozen=True)
class Resident:
    """Images and clean labels on the device; ``dataset`` is the host's copy.

    Attributes:
        x_train: (N, C, H, W), uint8 (float32 for float data), channels_last.
        x_test: (M, C, H, W), the same.
        y_test: (M,) int64.
    """

    dataset: Dataset
    x_train: Tensor
    x_test: Tensor
    y_test: Tensor


def host(spec: DatasetSpec, root: Path | None) -> Dataset:
    """The data set a spec names, cut to its size. UserError where it cannot be had."""
    return _host(spec.name, root).subset(spec.train_per_class)


@lru_cache(maxsize=2)
def _host(name: str, root: Path | None) -> Dataset:
    return datasets.load(name, root, download=False)


@lru_cache(maxsize=2)
def resident(spec: DatasetSpec, root: Path | None, device: torch.device) -> Resident:
    """The data set on the device; kept for the next run of this process that wants the same."""
    dataset = host(DatasetSpec(spec.name, spec.train_per_class), root)
    return Resident(
        dataset=dataset,
        x_train=to_device(dataset.x_train, device),
        x_test=to_device(dataset.x_test, device),
        y_test=torch.from_numpy(dataset.y_test.copy()).to(device),
    )


def to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """Images (N, C, H, W) as a channels_last tensor on the device."""
    # A copy: data sets are read-only, and torch has no read-only tensors.
    tensor = torch.tensor(array)
    return tensor.to(device).contiguous(memory_format=torch.channels_last)
