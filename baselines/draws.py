"""What methods draw that make their own batches: ids in random order, and how images are mixed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


def one_pass(ids: Tensor, size: int, random: Any) -> Iterator[Tensor]:
    """All ids once in batches, in random order; a rest of one, too few for BatchNorm, is left out.

    Args:
        ids: (n,).
        size: of a batch.
        random: a NumPy generator, as `Facts.generator` gives it.
    """
    order = torch.from_numpy(random.permutation(len(ids))).to(ids.device)
    yield from (part for part in torch.split(ids[order], size) if len(part) > 1)


def endless(ids: Tensor, size: int, random: Any) -> Iterator[Tensor]:
    """One pass after the other."""
    while True:
        yield from one_pass(ids, size, random)


def mixing(count: int, alpha: float, random: Any, device: torch.device) -> tuple[float, Tensor]:
    """Return the weight of each image itself, at least one half, and the partner of each.

    Args:
        count: of images.
        alpha: both parameters of the weight's beta distribution; 0: the weight is 1.
        random: as for `one_pass`.
        device: of the images.
    """
    weight = float(random.beta(alpha, alpha)) if alpha > 0.0 else 1.0
    partner = torch.from_numpy(random.permutation(count)).to(device)
    return max(weight, 1.0 - weight), partner


def mixed(values: Tensor, weight: float, partner: Tensor) -> Tensor:
    """Return each row mixed with its partner's."""
    return weight * values + (1.0 - weight) * values[partner]


def linear(inputs: int, outputs: int, random: Any) -> tuple[Tensor, Tensor]:
    """Return a linear layer's first weights (outputs, inputs) and bias, U(-b, b), in float64.

    b = 1 / sqrt(inputs), torch's default; `random` as for `one_pass`.
    """
    values = torch.from_numpy(2 * random.random((outputs, inputs + 1)) - 1) / math.sqrt(inputs)
    return values[:, :-1].contiguous(), values[:, -1].contiguous()


def mask(
    size: tuple[int, int], alpha: float, random: Any, device: torch.device, decay: float = 3.0
) -> tuple[float, Tensor]:
    """Return the share of an image that stays, and where: 1 or 0 for each pixel, in few patches.

    The brightest pixels of a random image whose frequencies f are weighted by f^-decay.

    Args:
        size: (height, width) of an image.
        alpha: both parameters of the share's beta distribution, above 0.
        random: as for `one_pass`.
        device: of the mask.
        decay: as above; frequencies below one cycle in the longer side count as that one.

    Source: FMix, Harris et al. 2020; its released code takes the first two rows of the drawn
    spectrum for the real and the imaginary part of all of it, which is not done here.
    """
    height, width = size
    share = float(random.beta(alpha, alpha))
    drawn = torch.from_numpy(random.standard_normal((height, width // 2 + 1, 2)))
    squares = torch.fft.fftfreq(height)[:, None] ** 2 + torch.fft.rfftfreq(width) ** 2
    weight = squares.double().sqrt().clamp(min=1.0 / max(size)) ** -decay
    image = torch.fft.irfft2(torch.view_as_complex(drawn) * weight, s=size)
    count = int(share * image.numel() + float(random.random()))  # up or down, with even odds
    brightest = image.flatten().argsort(descending=True, stable=True)[:count]
    kept = torch.zeros(image.numel()).index_fill(0, brightest, 1.0)
    return share, kept.reshape(size).to(device)
