"""Strong augmentation of images in memory: two operations on each image, and a square cut out.

The operations are ten of RandAugment's (Cubuk et al., 2020): each image gets two different ones
with strengths drawn uniformly, then a square of half the shorter side is black. They are drawn by
NumPy as numbers per image; pixels follow by integer arithmetic, equal on all devices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Floats = npt.NDArray[np.float64]

OPERATIONS = (
    "identity", "rotate", "shear x", "shear y", "translate x", "translate y",
    "brightness", "contrast", "posterise", "solarise",
)  # fmt: skip
# Largest strengths: degrees, shear, share of the side, change of a factor of 1, bits, levels.
DEGREES, SHEAR, SHIFT, FACTOR, BITS, LEVELS = 30.0, 0.3, 0.3, 0.9, 4, 256
_ONE = 256  # a factor of 1 in 8.8 fixed point
_FIXED = 16


@dataclass(frozen=True)
class Drawn:
    """What happens to each of n images.

    Attributes:
        matrix: (n, 2, 2), from a place in the result to one in the image, both from the centre.
        shift: (n, 2), what is added to it, columns and rows.
        tone: (n, 4) int32: factor of contrast and of brightness (256 is 1), mask of the bits that
            are kept, and from which level on pixels are inverted.
        box: (n, 4) int32: first row and column that are cut out, and those after the last.
    """

    matrix: Floats
    shift: Floats
    tone: npt.NDArray[np.int32]
    box: npt.NDArray[np.int32]


def draw(n: int, size: tuple[int, int], generator: np.random.Generator) -> Drawn:
    """Draw for ``n`` images of ``size`` (height, width)."""
    numbers, height, width = generator.random((n, 6)), *size
    strength = np.zeros((n, len(OPERATIONS)))
    first = np.floor(numbers[:, 0] * len(OPERATIONS)).astype(np.int64)
    step = 1 + np.floor(numbers[:, 1] * (len(OPERATIONS) - 1)).astype(np.int64)
    every = np.arange(n)
    strength[every, first] = 2 * numbers[:, 2] - 1
    strength[every, (first + step) % len(OPERATIONS)] = 2 * numbers[:, 3] - 1
    of = dict(zip(OPERATIONS, strength.T, strict=True))
    shift = SHIFT * np.stack([of["translate x"] * width, of["translate y"] * height], axis=1)
    return Drawn(_matrix(of), shift, _tone(of), _box(numbers[:, 4:], size))


def _matrix(of: dict[str, Floats]) -> Floats:
    """Rotation and both shears, those that an image does not get being the identity."""
    radians = np.radians(DEGREES * of["rotate"])
    turn = _of_rows((np.cos(radians), np.sin(radians)), (-np.sin(radians), np.cos(radians)))
    one = np.ones(len(radians))
    across = _of_rows((one, SHEAR * of["shear x"]), (0 * one, one))
    down = _of_rows((one, 0 * one), (SHEAR * of["shear y"], one))
    return turn @ across @ down


def _of_rows(*rows: tuple[Floats, Floats]) -> Floats:
    """(n, 2, 2) from the entries of each row."""
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def _tone(of: dict[str, Floats]) -> npt.NDArray[np.int32]:
    factors = [np.round(_ONE * (1 + FACTOR * of[name])) for name in ("contrast", "brightness")]
    bits = np.round(BITS * np.abs(of["posterise"])).astype(np.int64)
    limit = LEVELS - np.floor(LEVELS * np.abs(of["solarise"]))
    return np.stack([*factors, 255 >> bits << bits, limit], axis=1).astype(np.int32)


def _box(numbers: Floats, size: tuple[int, int]) -> npt.NDArray[np.int32]:
    side = min(size) // 2
    first = np.floor(numbers * np.array(size)).astype(np.int64) - side // 2
    return np.concatenate([first, first + side], axis=1).astype(np.int32)


def coefficients(drawn: Drawn, angles: Floats, size: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Where each pixel comes from, with a rotation before it; 16.16 fixed point as Pillow has it.

    Args:
        drawn: the operations.
        angles: (n,) degrees counter-clockwise of the rotation that images get in any case.
        size: (height, width), each below 32,768.

    Returns:
        (n, 6) int32: a0..a5, source column (a0 x + a1 y + a2) >> 16, source row with a3..a5.
    """
    height, width = size
    radians = -np.radians(angles)
    turn = _of_rows((np.cos(radians), np.sin(radians)), (-np.sin(radians), np.cos(radians)))
    matrix = turn @ drawn.matrix
    shift = np.einsum("nij,nj->ni", turn, drawn.shift)
    centre = np.array([width / 2, height / 2])
    constant = centre + shift - matrix @ centre
    constant += 0.5 * matrix.sum(axis=2)
    rows = np.concatenate([matrix, constant[:, :, None]], axis=2).reshape(len(matrix), 6)
    # Twelve digits, so that no library's last bit decides which pixel it is.
    return np.floor(np.round(rows, 12) * 2.0**_FIXED + 0.5).astype(np.int32)


def toned(batch: Tensor, tone: Tensor) -> Tensor:
    """Contrast about each image's mean, brightness, fewer bits, inverted highlights, in this order.

    Args:
        batch: (B, H, W, C) uint8.
        tone: (B, 4), see :class:`Drawn`.
    """
    contrast, brightness, mask, limit = tone[:, :, None, None, None].unbind(1)
    pixels = batch.to(torch.int32)
    mean = (pixels.sum(dim=(1, 2, 3), keepdim=True) // pixels[0].numel()).to(torch.int32)
    pixels = contrast * pixels + (_ONE - contrast) * mean
    pixels = ((pixels + _ONE // 2) >> 8).clamp(0, 255)
    pixels = ((brightness * pixels + _ONE // 2) >> 8).clamp(0, 255) & mask
    return torch.where(pixels >= limit, 255 - pixels, pixels).to(torch.uint8)


def cut(inside: Tensor, box: Tensor) -> Tensor:
    """Which target pixels are left, of (B, H, W) those that were."""
    height, width = inside.shape[1:]
    rows = torch.arange(height, device=box.device, dtype=torch.int32)[None, :, None]
    columns = torch.arange(width, device=box.device, dtype=torch.int32)[None, None, :]
    top, left, bottom, right = box[:, :, None, None].unbind(1)
    out = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    return inside & ~out
