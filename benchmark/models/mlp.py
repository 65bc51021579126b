"""Multi-layer perceptron with one hidden layer."""

from __future__ import annotations

import math

from torch import nn

from nlbench.benchmark.models.outside import Shape
from nlbench.benchmark.models.registry import ModelInfo, register

HIDDEN = 256


@register(ModelInfo(name="mlp", description=f"flatten, {HIDDEN} ReLU units, linear head"))
def mlp(in_shape: Shape) -> tuple[nn.Module, int]:
    """Flatten, one hidden layer of 256 ReLU units; no normalisation layer."""
    layers = (nn.Flatten(), nn.Linear(math.prod(in_shape), HIDDEN), nn.ReLU())
    return nn.Sequential(*layers), HIDDEN
