"""Augmentation of images from files: pixels equal to torchvision's, draws distributed as its."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import stats
from torchvision import transforms
from torchvision.transforms import functional

from nlbench.benchmark.pipeline import augment_files
from nlbench.benchmark.pipeline.augment_files import (
    FILE_KINDS,
    PLAIN,
    FileAugmentation,
    Geometry,
    augmented,
)

TO = Geometry(size=56, squash=False, fill=(10, 20, 30))
UNIT = st.floats(0, 1, exclude_max=True)
SIZES = st.tuples(st.integers(60, 130), st.integers(60, 130))


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    rng = np.random.Generator(np.random.Philox(key=seed))
    coarse = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@settings(max_examples=30)
@given(SIZES, st.booleans())
def test_the_plain_view_is_torchvisions_resize_and_centre_crop(
    size: tuple[int, int], squash: bool
) -> None:
    to = Geometry(size=56, squash=squash, fill=(0, 0, 0))
    image = picture(*size)
    wanted = functional.center_crop(functional.resize(image, [64, 64] if squash else 64), [56, 56])
    assert np.array_equal(augmented(image, PLAIN, (), to), np.array(wanted))


@pytest.mark.parametrize(("size", "resized"), [(224, 256), (227, 256), (299, 320), (56, 64)])
def test_images_are_resized_as_the_protocols_do(size: int, resized: int) -> None:
    to = Geometry(size=size, squash=False, fill=(0, 0, 0))
    assert to.resized(picture(400, 500)).size == (resized, int(resized * 500 / 400))


@settings(max_examples=30)
@given(SIZES, st.lists(UNIT, min_size=22, max_size=22))
def test_a_resized_crop_is_torchvisions_of_the_same_box(
    size: tuple[int, int], numbers: list[float]
) -> None:
    left, top, width, height = augment_files.resized_crop_box(*size, numbers)
    assert 0 <= left <= size[0] - width
    assert 0 <= top <= size[1] - height
    image = picture(*size)
    wanted = functional.resized_crop(image, top, left, height, width, [56, 56])
    how = FileAugmentation(crop="resized")
    assert np.array_equal(augmented(image, how, numbers, TO), np.array(wanted))


def test_resized_crops_are_distributed_as_torchvisions() -> None:
    width, height, count = 120, 60, 4000
    rng = np.random.Generator(np.random.Philox(key=1))
    ours = np.array(
        [augment_files.resized_crop_box(width, height, rng.random(22)) for _ in range(count)]
    )
    image = torch.empty(3, height, width)
    theirs = np.array(
        [
            transforms.RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3])
            for _ in range(count)
        ]
    )[:, [1, 0, 3, 2]]
    columns = [(a, b) for a, b in zip(ours.T, theirs.T, strict=True)]
    columns.append((ours[:, 2] * ours[:, 3], theirs[:, 2] * theirs[:, 3]))
    for mine, reference in columns:
        assert stats.ks_2samp(mine, reference).pvalue > 1e-4


@pytest.mark.parametrize(
    ("size", "box"), [((400, 20), (187, 0, 27, 20)), ((20, 400), (0, 186, 20, 27))]
)
def test_what_never_fits_is_cut_from_the_centre(
    size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    # The whole area at ratio 1 is 89 pixels wide and high: it fits into neither in ten tries.
    assert augment_files.resized_crop_box(*size, [0.999, 0.5] * 10 + [0.5, 0.5]) == (
        (size[0] - box[2]) // 2,
        (size[1] - box[3]) // 2,
        box[2],
        box[3],
    )


@settings(max_examples=30)
@given(st.lists(UNIT, min_size=5, max_size=5))
def test_jitter_is_torchvisions_in_the_drawn_order(numbers: list[float]) -> None:
    strengths = (0.4, 0.4, 0.4, 0.2)
    image = picture(60, 70)
    changed = [s * (2 * u - 1) for s, u in zip(strengths, numbers[1:], strict=True)]
    changes = [
        lambda im: functional.adjust_brightness(im, 1 + changed[0]),
        lambda im: functional.adjust_contrast(im, 1 + changed[1]),
        lambda im: functional.adjust_saturation(im, 1 + changed[2]),
        lambda im: functional.adjust_hue(im, changed[3]),
    ]
    # The number chooses one of the 24 orders: the first change is its remainder by 4, and so on.
    code, wanted = int(numbers[0] * 24), image
    for left in (4, 3, 2, 1):
        wanted = changes.pop(code % left)(wanted)
        code //= left
    found = augment_files.jittered(image, strengths, numbers)
    assert np.array_equal(np.array(found), np.array(wanted))


def test_a_flip_mirrors_below_one_half() -> None:
    how = FileAugmentation(flip=True)
    image = picture(64, 64)
    plain = augmented(image, PLAIN, (), TO)
    assert np.array_equal(augmented(image, how, [0.49], TO), plain[:, ::-1])
    assert np.array_equal(augmented(image, how, [0.5], TO), plain)


@settings(max_examples=30)
@given(st.tuples(UNIT, UNIT))
def test_a_hole_is_cut_at_the_borders_and_filled(numbers: tuple[float, float]) -> None:
    image = picture(64, 64)
    plain = augmented(image, PLAIN, (), TO)
    cut = augmented(image, FILE_KINDS["centre_cutout"], numbers, TO)
    y, x = (math.floor(u * 56) for u in numbers)
    rows, columns = np.ogrid[:56, :56]
    inside = (rows >= y - 14) & (rows < y + 14) & (columns >= x - 14) & (columns < x + 14)
    assert np.array_equal(cut[~inside], plain[~inside])
    assert (cut[inside] == (10, 20, 30)).all()


@settings(max_examples=30)
@given(SIZES, st.tuples(UNIT, UNIT))
def test_a_random_crop_is_a_part_of_the_resized_image(
    size: tuple[int, int], numbers: tuple[float, float]
) -> None:
    image = picture(*size)
    resized = np.array(functional.resize(image, 64))
    found = augmented(image, FileAugmentation(crop="random"), numbers, TO)
    top = math.floor(numbers[0] * (resized.shape[0] - 55))
    left = math.floor(numbers[1] * (resized.shape[1] - 55))
    assert np.array_equal(found, resized[top : top + 56, left : left + 56])


@pytest.mark.parametrize("name", FILE_KINDS)
def test_every_kind_uses_all_its_numbers(name: str) -> None:
    how = FILE_KINDS[name]
    rng = np.random.Generator(np.random.Philox(key=2))
    image = picture(90, 70)
    seen = {augmented(image, how, rng.random(how.columns), TO).tobytes() for _ in range(8)}
    assert len(seen) == 8
    with pytest.raises((IndexError, ValueError)):
        augmented(image, how, rng.random(how.columns - 1), TO)
