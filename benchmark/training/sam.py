"""Sharpness-aware minimisation: the gradient is taken where the loss is nearly worst around w."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

# As in the public code, so that a gradient of zeros moves nothing.
TINY = 1e-12


@torch.no_grad()
def ascend(parameters: Sequence[nn.Parameter], rho: float, adaptive: bool) -> list[Tensor]:
    """Move weights by rho along their gradient, whose norm is taken over all of them.

    e = rho g / |g|; adaptive (ASAM): e = rho w^2 g / ||w| g|. Nothing here waits for the device.

    Returns:
        Copies of the weights as they were.

    Source: Foret et al., ICLR 2021; Kwon et al., ICML 2021; github.com/davda54/sam (3c3afdb).
    """
    trained = [p for p in parameters if p.grad is not None]
    slopes: list[Tensor] = [p.grad for p in trained if p.grad is not None]
    before = [p.detach().clone() for p in parameters]
    scaled = slopes
    if adaptive:
        scaled = list(torch._foreach_mul([p.detach().abs() for p in trained], slopes))
    norm = torch.stack(torch._foreach_norm(scaled)).norm() + TINY
    for parameter, slope in zip(trained, slopes, strict=True):
        direction = parameter.detach() ** 2 * slope if adaptive else slope
        parameter.add_(direction * (rho / norm))
    return before


@torch.no_grad()
def back(parameters: Sequence[nn.Parameter], before: Sequence[Tensor]) -> None:
    """Put the weights where they were; their gradients stay."""
    for parameter, value in zip(parameters, before, strict=True):
        parameter.copy_(value)


@contextlib.contextmanager
def still_statistics(networks: Sequence[nn.Module]) -> Iterator[None]:
    """Passes in here use the statistics of their batch and leave BatchNorm's running ones alone."""
    layers = [
        layer
        for network in networks
        for layer in network.modules()
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.track_running_stats
    ]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
