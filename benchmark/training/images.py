"""Batches of images as networks take them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from nlbench.baselines import Mixed
from nlbench.benchmark.pipeline import augment
from nlbench.benchmark.pipeline.streaming import Part
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training.task import Task

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


def augmented(task: Task, *words: str | int) -> Tensor:
    """All training images in memory, augmented by what the words draw."""
    images = task.resident.x_train
    generator = Streams(task.seed).generator("augment", *words)
    size = (int(images.shape[2]), int(images.shape[3]))
    plan = augment.draw(task.recipe.augment, len(images), size, generator).to(task.device)
    rows = torch.arange(len(images), device=task.device)
    return torch.cat([augment.apply(images, plan[at], at) for at in torch.split(rows, EVAL_BATCH)])


def memory_format(network: nn.Module) -> nn.Module:
    """Convolution weights channels_last, the layout CPU and GPU kernels are fastest in."""
    return network.to(memory_format=torch.channels_last)
