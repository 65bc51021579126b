"""Augmentation of images read from files: crop to the network's size, flip, jitter, cutout.

Unlike images in memory these differ in size, so an epoch's plan holds uniform numbers, a row per
sample, and what they mean for an image is worked out when it is decoded. Images are decoded,
resized and jittered by Pillow, as the public code of the protocols does (torchvision's transforms
on PIL images), so pixels are equal to theirs. For 256- to 500-pixel JPEG files on one core, Pillow
needs 1.6 ms for decoding and a resized crop and torchvision's tensor path 1.8 ms (2 threads off,
Pillow 13.0, torchvision 0.29); the decoded pixels are the same, the resized ones differ by 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance

Uniforms = Sequence[float] | npt.NDArray[np.float64]

# The size that images are resized to before a crop of the key's size: torchvision's 256 for 224;
# 256 for 227 and 320 for 299 as DivideMix has them; 8/7 of it for any other.
RESIZED = {224: 256, 227: 256, 299: 320}

SCALE = (0.08, 1.0)
RATIO = (3 / 4, 4 / 3)
TRIES = 10


@dataclass(frozen=True, kw_only=True)
class FileAugmentation:
    """What one image goes through, in this order.

    Attributes:
        crop: ``resized`` (torchvision's RandomResizedCrop), ``random`` (resize, then a random
            crop) or ``centre`` (resize, then the centre).
        flip: mirror left-right with probability 1/2.
        jitter: strengths of brightness, contrast, saturation and hue (torchvision's ColorJitter).
        cutout: side of a square filled with the mean colour, as a share of the image's side.
    """

    crop: str = "centre"
    flip: bool = False
    jitter: tuple[float, float, float, float] | None = None
    cutout: float = 0.0

    @property
    def columns(self) -> int:
        """How many uniform numbers a sample needs."""
        jitter = 5 if self.jitter else 0
        return _CROPS[self.crop][0] + int(self.flip) + jitter + (2 if self.cutout else 0)


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What an image becomes, whatever the augmentation.

    Attributes:
        size: height and width of the result.
        squash: resize to a square instead of by the shorter side.
        fill: colour of cut-out squares, 0..255 per channel.
    """

    size: int
    squash: bool
    fill: tuple[int, int, int]

    def resized(self, image: Image.Image) -> Image.Image:
        """The image resized, ready for a crop of ``size``."""
        side = RESIZED.get(self.size, round(self.size * 8 / 7))
        width, height = image.size
        short = side if self.squash else min(width, height)
        long_side = side if self.squash else int(side * max(width, height) / short)
        shape = (side, long_side) if width <= height else (long_side, side)
        return image if shape == image.size else image.resize(shape, Image.Resampling.BILINEAR)


def augmented(
    image: Image.Image, how: FileAugmentation, numbers: Uniforms, geometry: Geometry
) -> npt.NDArray[np.uint8]:
    """One decoded RGB image, cropped and changed, as (size, size, 3) uint8.

    Args:
        image: of any size.
        how: what is done.
        numbers: ``how.columns`` uniform numbers in [0, 1).
        geometry: size of the result.
    """
    rest = list(numbers)
    needed, crop = _CROPS[how.crop]
    image = crop(image, rest[:needed], geometry)
    del rest[:needed]
    if how.flip and rest.pop(0) < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if how.jitter:
        image = jittered(image, how.jitter, rest[:5])
        del rest[:5]
    # Not np.array(image): it holds the interpreter's lock three times as long.
    pixels = np.frombuffer(bytearray(image.tobytes()), dtype=np.uint8)
    pixels = pixels.reshape(geometry.size, geometry.size, 3)
    if how.cutout:
        top, bottom, left, right = hole(geometry.size, how.cutout, rest)
        pixels[top:bottom, left:right] = geometry.fill
    return pixels


def resized_crop_box(width: int, height: int, numbers: Uniforms) -> tuple[int, int, int, int]:
    """Left, top, width and height of a random crop by area and aspect ratio.

    torchvision's ``RandomResizedCrop.get_params``: area uniform in 8..100 % of the image's, the
    logarithm of the ratio uniform between those of 3/4 and 4/3, ten tries, then the largest centre
    crop of an allowed ratio. Numbers: a pair per try, then the position down and across.
    """
    area = width * height
    low, high = math.log(RATIO[0]), math.log(RATIO[1])
    for attempt in range(TRIES):
        share, skew = numbers[2 * attempt], numbers[2 * attempt + 1]
        target = area * (SCALE[0] + share * (SCALE[1] - SCALE[0]))
        ratio = math.exp(low + skew * (high - low))
        w, h = round(math.sqrt(target * ratio)), round(math.sqrt(target / ratio))
        if 0 < w <= width and 0 < h <= height:
            down, across = numbers[2 * TRIES], numbers[2 * TRIES + 1]
            return int(across * (width - w + 1)), int(down * (height - h + 1)), w, h
    w, h = width, height
    if width / height < RATIO[0]:
        h = round(width / RATIO[0])
    elif width / height > RATIO[1]:
        w = round(height * RATIO[1])
    return (width - w) // 2, (height - h) // 2, w, h


def jittered(
    image: Image.Image, strengths: tuple[float, float, float, float], numbers: Uniforms
) -> Image.Image:
    """Brightness, contrast, saturation and hue changed in a random order (ColorJitter).

    Factors are uniform in 1 - s..1 + s, the hue's shift in -s..s. Numbers: the order, one each.
    """
    *factors, hue = (s * (2 * u - 1) for s, u in zip(strengths, numbers[1:], strict=True))
    changes: list[Callable[[Image.Image], Image.Image]] = [
        lambda im: ImageEnhance.Brightness(im).enhance(1 + factors[0]),
        lambda im: ImageEnhance.Contrast(im).enhance(1 + factors[1]),
        lambda im: ImageEnhance.Color(im).enhance(1 + factors[2]),
        lambda im: hue_shifted(im, hue),
    ]
    order = int(numbers[0] * math.factorial(len(changes)))
    while changes:
        order, chosen = divmod(order, len(changes))
        image = changes.pop(chosen)(image)
    return image


def hue_shifted(image: Image.Image, shift: float) -> Image.Image:
    """The hue turned by ``shift`` of a full circle, in 8-bit HSV."""
    hue, saturation, value = image.convert("HSV").split()
    turned = (np.asarray(hue).astype(np.int32) + int(shift * 255)) % 256
    parts = (Image.fromarray(turned.astype(np.uint8)), saturation, value)
    return Image.merge("HSV", parts).convert("RGB")


def hole(size: int, share: float, numbers: Uniforms) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of a square whose centre lies anywhere in the image (Cutout)."""
    half = round(size * share) // 2
    y, x = (int(u * size) for u in numbers)
    return max(0, y - half), min(size, y + half), max(0, x - half), min(size, x + half)


def _resized(image: Image.Image, numbers: Uniforms, to: Geometry) -> Image.Image:
    left, top, width, height = resized_crop_box(*image.size, numbers)
    part = image.crop((left, top, left + width, top + height))
    return part.resize((to.size, to.size), Image.Resampling.BILINEAR)


def _random(image: Image.Image, numbers: Uniforms, to: Geometry) -> Image.Image:
    image = to.resized(image)
    width, height = image.size
    top = int(numbers[0] * (height - to.size + 1))
    left = int(numbers[1] * (width - to.size + 1))
    return image.crop((left, top, left + to.size, top + to.size))


def _centre(image: Image.Image, numbers: Uniforms, to: Geometry) -> Image.Image:  # noqa: ARG001
    image = to.resized(image)
    width, height = image.size
    left, top = round((width - to.size) / 2), round((height - to.size) / 2)
    return image.crop((left, top, left + to.size, top + to.size))


Crop = Callable[[Image.Image, Uniforms, Geometry], Image.Image]
# How many numbers a crop takes, and the crop.
_CROPS: dict[str, tuple[int, Crop]] = {
    "resized": (2 * TRIES + 2, _resized),
    "random": (2, _random),
    "centre": (0, _centre),
}

PLAIN = FileAugmentation()
# mini-WebVision in the robust-loss papers; the usual ImageNet training; Clothing1M in eps-softmax;
# Clothing1M in the Drainage code (no flip, a hole of half the side).
FILE_KINDS: dict[str, FileAugmentation] = {
    "resized_crop_flip_jitter": FileAugmentation(
        crop="resized", flip=True, jitter=(0.4, 0.4, 0.4, 0.2)
    ),
    "resized_crop_flip": FileAugmentation(crop="resized", flip=True),
    "random_crop_flip": FileAugmentation(crop="random", flip=True),
    "centre_cutout": FileAugmentation(cutout=0.5),
}
