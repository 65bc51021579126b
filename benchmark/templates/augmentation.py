"""Template: what is done to the training images."""

from __future__ import annotations

import torch
from torch import Tensor

from nlbench.benchmark.pipeline.augment_outside import Transform


def change(images: Tensor, numbers: Tensor) -> Tensor:
    """Turn a quarter of the images upside down.

    Args:
        images: (B, C, H, W), of the type in which they are stored; not to be written to.
        numbers: (B, columns) in [0, 1), drawn for each image and epoch, the same for all methods.
    """
    turned = numbers[:, 0] < 0.25
    return torch.where(turned[:, None, None, None], images.flip(-2), images)


TEMPLATE = Transform(change, columns=1)
