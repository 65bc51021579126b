"""The floor of a training's time: its counted operations at the best rate of the device."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from nlbench import noise
from nlbench.benchmark import models


def training_flops(model: str) -> int:
    """Floating-point operations of one image's forward and backward pass, as torch counts them."""
    network = models.build(model, (3, 32, 32), 10)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(2, 3, 32, 32)).sum().backward()
    return int(counter.get_total_flops()) // 2


def peak_flops(device: torch.device) -> float:
    """What the counted floor is measured against: the faster of bf16 and float32."""
    return max(product_flops(device, kind) for kind in (torch.bfloat16, torch.float32))


def product_flops(device: torch.device, kind: torch.dtype) -> float:
    """Operations a second of a large matrix product, the best of a few calls.

    Entries are normal draws: a GPU that multiplies constants draws less power and is faster than
    in any training.
    """
    tiles, calls = (8, 10) if device.type == "cuda" else (1, 4)
    size = 1024 * tiles
    draws = torch.from_numpy(noise.generator("bench", "peak").normal(size=(1024, 1024)))
    left = draws.to(device, kind).repeat(tiles, tiles)

    def product() -> None:
        torch.mm(left, left)

    product()
    return max(2 * size**3 / timed(product, device) for _ in range(calls))


def timed(once: Callable[[], None], device: torch.device) -> float:
    """Seconds of one call, waiting for the device before and after."""
    _settle(device)
    start = time.perf_counter()
    once()
    _settle(device)
    return time.perf_counter() - start


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
