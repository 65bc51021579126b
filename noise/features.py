"""Features as exact integers with a named scaling, so that dot products have no rounding at all.

A sum of integers below 2^53 is exact in float64 in any order: the same bits whatever the linear
algebra library, its number of threads or the processor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError

Floats = NDArray[np.float64]

BLOCK = 2**18  # numbers converted at a time: 2 MB stay in a core's cache
TILE = 2**18  # multiplications in one call of the linear algebra library
LARGEST = 2**15  # floats are rounded to integers of at most this size
SCALES = ("standard", "unitnorm", "unit", "raw")


@dataclass(frozen=True, eq=False)
class Features:
    """(N, S) features that are ``step`` times integers of at most ``largest``, in C channels."""

    array: NDArray[Any]
    channels: int
    step: float
    largest: int

    @property
    def width(self) -> int:
        """Features per channel."""
        return int(self.array.shape[1]) // self.channels

    @property
    def block(self) -> int:
        """Rows to convert at a time."""
        return max(1, BLOCK // int(self.array.shape[1]))

    def rows(self, index: NDArray[np.int64] | slice) -> Floats:
        """Return some rows as float64 integers, (n, S)."""
        block = self.array[index].astype(np.float64)
        return block if self.array.dtype.kind in "iu" else np.rint(block / self.step)

    def channel(self, block: NDArray[Any], c: int) -> NDArray[Any]:
        """Return the columns of channel ``c`` of a block of rows (a view)."""
        return block[:, c * self.width : (c + 1) * self.width]


@dataclass(frozen=True)
class Scaling:
    """Per channel: a feature x (an integer) means (x - mean[c]) * gain[c]."""

    mean: tuple[float, ...]
    gain: tuple[float, ...]
    unit_norm: bool = False


def as_features(array: NDArray[Any]) -> Features:
    """Check pixels or features of shape (N, C, H, W) or (N, D) and fix their integer grid.

    Integers stay as they are (at most 2^15 in size). Floats are rounded to multiples of a power
    of two with max|x| at most 2^15 of them: no coarser than 2^-15 of the range.
    """
    if array.ndim not in (2, 4) or 0 in array.shape:
        raise NoiseError(f"features: shape {array.shape} is neither (N, C, H, W) nor (N, D)")
    channels = int(array.shape[1]) if array.ndim == 4 else 1
    flat = array.reshape(len(array), -1)
    if flat.dtype.kind not in "iuf":
        raise NoiseError(f"features: {array.dtype} is neither an integer nor a float type")
    top = _largest(flat)
    if flat.dtype.kind in "iu":
        if top > LARGEST:
            raise NoiseError(f"features: integers up to {top:.0f}, at most {LARGEST} is exact here")
        return Features(flat, channels, 1.0, int(top))
    # frexp: top = m * 2^e with m < 1
    step = math.ldexp(1.0, math.frexp(top)[1] - 15) if top > 0 else 1.0
    return Features(flat, channels, step, LARGEST)


def _largest(flat: NDArray[Any]) -> float:
    top, rows = 0.0, max(1, BLOCK // flat.shape[1])
    for start in range(0, len(flat), rows):
        block = flat[start : start + rows]
        low, high = float(block.min()), float(block.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            row = start + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            raise NoiseError(f"features: row {row} holds a value that is not finite")
        top = max(top, -low, high)
    return top


def scaling(features: Features, name: str) -> Scaling:
    """Return the named scaling.

    raw: the numbers as given (Xia et al.'s code, on 0..255). unit: in [0, 1] (Drainage's code).
    standard: mean 0 and standard deviation 1 per channel over all given features.
    unitnorm: standard, then each sample divided by its Euclidean norm.
    """
    ones = (1.0,) * features.channels
    zeros = (0.0,) * features.channels
    if name == "raw":
        return Scaling(zeros, tuple(features.step * one for one in ones))
    if name == "unit":
        return Scaling(zeros, tuple(_unit_gain(features) * one for one in ones))
    mean, deviation = _moments(features)
    return Scaling(mean, tuple(1.0 / d if d > 0 else 1.0 for d in deviation), name == "unitnorm")


def exact_product(left: Floats, right: Floats) -> Floats:
    """Return left (n, S) times right (S, K), both integers in float64: exact, on one thread.

    The tiles are small enough for the library not to split them over threads, which on a busy
    machine takes ten times as long. The order of the sums does not matter: they have no rounding.
    """
    inner = max(1, TILE // (left.shape[0] * right.shape[1]))
    total: Floats = left[:, :inner] @ right[:inner]
    part = np.empty_like(total)
    for start in range(inner, left.shape[1], inner):
        np.matmul(left[:, start : start + inner], right[start : start + inner], out=part)
        total += part
    return total


def _unit_gain(features: Features) -> float:
    if features.array.dtype == np.uint8:
        return 1.0 / 255.0
    if features.array.dtype.kind == "f" and features.array.min() >= 0 and features.array.max() <= 1:
        return features.step
    raise NoiseError(
        f"scale=unit: needs uint8 pixels or floats in [0, 1], got {features.array.dtype} in "
        f"[{features.array.min()}, {features.array.max()}]"
    )


def _moments(features: Features) -> tuple[tuple[float, ...], tuple[float, ...]]:
    sums, squares = [0] * features.channels, [0] * features.channels
    for start in range(0, len(features.array), features.block):
        block = features.rows(slice(start, start + features.block))
        for c in range(features.channels):
            part = features.channel(block, c)
            # exact in float64: at most 2^18 squares (or one row's) of at most 2^30
            sums[c] += int(part.sum())
            squares[c] += int(np.einsum("ij,ij->", part, part))
    count = len(features.array) * features.width
    means = tuple(total / count for total in sums)
    # the numerator is exact, so no cancellation however small the variance
    variances = [(count * q - s * s) / count**2 for q, s in zip(squares, sums, strict=True)]
    return means, tuple(math.sqrt(variance) for variance in variances)
