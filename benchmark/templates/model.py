"""Template: a network without its last layer."""

from __future__ import annotations

from torch import nn

WIDTH = 64


def template(in_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
    """Return the body for images (channels, height, width), and the width of its features.

    The layer that turns features into logits is added, and all first weights are drawn by the
    names of the parameters. No dropout: its draws would differ from method to method.
    """
    layers = (
        nn.Conv2d(in_shape[0], WIDTH, 3, padding=1, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return nn.Sequential(*layers), WIDTH
