"""Batches of images as networks take them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from nlbench.baselines import Mixed
from nlbench.benchmark.pipeline.streaming import Part

EVAL_BATCH = 1000


def mix(images: Tensor, mixed: Mixed) -> Tensor:
    """Each image with its partner in the batch, in the images' memory format."""
    return mixed.weight * images + (1 - mixed.weight) * images[mixed.partner]


def batches(images: Tensor | Part, rows: Tensor | None) -> Iterator[Tensor]:
    """All images or these rows of them, in order, in batches for evaluation."""
    if isinstance(images, Part):
        yield from images.batches(rows)
        return
    count = len(images) if rows is None else len(rows)
    for start in range(0, count, EVAL_BATCH):
        at = slice(start, start + EVAL_BATCH)
        yield images[at] if rows is None else images[rows[at]]


def memory_format(network: nn.Module) -> nn.Module:
    """Convolution weights channels_last, the layout CPU and GPU kernels are fastest in."""
    return network.to(memory_format=torch.channels_last)
