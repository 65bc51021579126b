"""Pixels as the network gets them: centred and scaled per channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class Normaliser:
    """x -> (x / unit - mean) / std per channel, unit = 255 for uint8 images and 1 for others.

    Computed as x * scale + shift in float32 (float64 if that is asked for) and only then cast.
    The two constants are put on the device once, so that no step copies anything there.
    """

    def __init__(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device | str,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.dtype = dtype
        self._compute = torch.float64 if dtype == torch.float64 else torch.float32
        deviation = np.asarray(std, dtype=np.float64)
        shift = -np.asarray(mean, dtype=np.float64) / deviation
        self._shift = self._constant(shift, device)
        self._scale_unit = self._constant(1 / deviation, device)
        self._scale_byte = self._constant(1 / (255 * deviation), device)

    def __call__(self, images: Tensor) -> Tensor:
        """(N, C, H, W) uint8 or floating -> the same shape and memory format in ``dtype``."""
        scale = self._scale_byte if images.dtype == torch.uint8 else self._scale_unit
        return torch.addcmul(self._shift, images.to(self._compute), scale).to(self.dtype)

    def _constant(self, values: npt.NDArray[np.float64], device: torch.device | str) -> Tensor:
        return torch.tensor(values, device=device, dtype=self._compute)[:, None, None]
