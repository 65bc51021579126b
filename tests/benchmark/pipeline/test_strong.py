"""The strong view: each operation against Pillow, strengths, and what it leaves as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from scipy import stats

from nlbench import baselines
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline import augment, strong
from nlbench.benchmark.pipeline.augment import AugmentPlan
from nlbench.benchmark.pipeline.batches import BatchPlan
from nlbench.benchmark.spec.run_spec import MethodSpec
from nlbench.benchmark.training.limits import check_pixels
from tests.helpers.images import one_by_one, random_images, rng
from tests.helpers.runs import tiny

SIZE = (32, 32)
NEUTRAL = (256, 256, 255, 256)
Images = npt.NDArray[np.uint8]


def toned(images: Images, tone: tuple[int, int, int, int]) -> Images:
    batch = torch.from_numpy(images).permute(0, 2, 3, 1)
    found = strong.toned(batch, torch.tensor([tone] * len(images), dtype=torch.int32))
    return found.permute(0, 3, 1, 2).numpy()


def pil(images: Images) -> list[Image.Image]:
    return [Image.fromarray(image[0]) for image in images]


def arrays(found: list[Image.Image]) -> Images:
    return np.stack([np.asarray(one)[None] for one in found])


def test_bits_and_inversion_are_those_of_pillow() -> None:
    images = random_images(40, 1, 9, 7)
    for bits in range(4, 9):
        want = arrays([ImageOps.posterize(one, bits) for one in pil(images)])
        mask = 255 >> (8 - bits) << (8 - bits)
        np.testing.assert_array_equal(toned(images, (256, 256, mask, 256)), want)
    for limit in (0, 1, 100, 255):
        want = arrays([ImageOps.solarize(one, limit) for one in pil(images)])
        np.testing.assert_array_equal(toned(images, (256, 256, 255, limit)), want)
    np.testing.assert_array_equal(toned(images, NEUTRAL), images)


@pytest.mark.parametrize("factor", [26, 128, 256, 300, 486])
def test_brightness_and_contrast_are_those_of_pillow(factor: int) -> None:
    images = random_images(40, 1, 9, 7)
    for at, kind in enumerate((ImageEnhance.Contrast, ImageEnhance.Brightness)):
        tone = [256, 256, 255, 256]
        tone[at] = factor
        want = arrays([kind(one).enhance(factor / 256) for one in pil(images)]).astype(int)
        # Pillow rounds the mean, here it is cut off; the factor stretches the difference.
        found = toned(images, (tone[0], tone[1], tone[2], tone[3])).astype(int)
        assert np.abs(found - want).max() <= 2


@pytest.mark.parametrize("kind", ["none", "crop_flip", "crop_flip_rotate"])
def test_places_are_those_of_an_affine_transform_in_pillow(kind: str) -> None:
    images = random_images(200, 3, *SIZE)
    plan = augment.draw(kind, len(images), SIZE, rng(1), strong=True)
    drawn = strong.draw(len(images), SIZE, after_base(kind, len(images)))
    plain = replace(plan, tone=None, box=None)
    found = augment.apply(torch.tensor(images), plain).numpy()
    weak = replace(plain, affine=None, angle=None)
    angles = np.zeros(len(images)) if plan.angle is None else plan.angle.double().numpy()
    for image, matrix, shift, angle, got in zip(
        one_by_one(images, weak), drawn.matrix, drawn.shift, angles, found, strict=True
    ):
        data = affine(matrix, shift, float(angle))
        whole = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
        want = whole.transform(SIZE, Image.Transform.AFFINE, data, Image.Resampling.NEAREST)
        np.testing.assert_array_equal(got, np.asarray(want).transpose(2, 0, 1))


def affine(
    matrix: npt.NDArray[np.float64], shift: npt.NDArray[np.float64], angle: float
) -> tuple[float, ...]:
    """Pillow's six numbers: the operations, then the rotation of every image, about the centre."""
    radians = -np.radians(angle)
    turn = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    centre = np.array([16.0, 16.0])
    whole = turn @ matrix
    constant = turn @ (shift - matrix @ centre) + centre
    return (*whole[0].tolist(), float(constant[0]), *whole[1].tolist(), float(constant[1]))


def after_base(kind: str, n: int) -> np.random.Generator:
    """The generator where the strong part begins: the recipe's own part is drawn first."""
    generator = rng(1)
    augment.draw(kind, n, SIZE, generator)
    return generator


def test_a_square_of_half_the_side_is_black_and_nothing_else() -> None:
    images = torch.full((300, 1, 28, 28), 200, dtype=torch.uint8)
    drawn = strong.draw(300, (28, 28), rng(2))
    plan = AugmentPlan(
        kind="none",
        rows=300,
        affine=torch.from_numpy(augment.rotation_coefficients(np.zeros(300, "f4"), (28, 28))),
        tone=torch.tensor([NEUTRAL] * 300, dtype=torch.int32),
        box=torch.from_numpy(drawn.box),
    )
    out = augment.apply(images, plan)[:, 0].numpy()
    for image, (top, left, bottom, right) in zip(out, drawn.box.tolist(), strict=True):
        want = np.full((28, 28), 200)
        want[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 0
        np.testing.assert_array_equal(image, want)
        assert (bottom - top, right - left) == (14, 14)
        assert 0 < (image == 0).sum() <= 14 * 14
    assert len({tuple(box) for box in drawn.box.tolist()}) > 200


def test_every_image_gets_two_operations_of_ten_alike_often() -> None:
    drawn = strong.draw(20_000, SIZE, rng(3))
    contrast, brightness, mask, limit = drawn.tone.T
    # Of two in ten; a strength may round to none: a factor within 1/512, 1/8 of the bits' range.
    wide, high = drawn.shift.T
    for changed in (contrast != 256, brightness != 256, limit != 256, wide != 0, high != 0):
        assert stats.binomtest(int(changed.sum()), len(changed), 0.2).pvalue > 1e-4
    assert stats.binomtest(int((mask != 255).sum()), len(mask), 0.2 * 7 / 8).pvalue > 1e-4
    turned = drawn.matrix[drawn.matrix[:, 0, 1] == -drawn.matrix[:, 1, 0]]
    angles = np.degrees(np.arctan2(turned[:, 0, 1], turned[:, 0, 0]))
    assert (round(angles.min()), round(angles.max())) == (-30, 30)
    assert contrast.min() >= round(256 * 0.1)
    assert contrast.max() <= round(256 * 1.9)
    assert np.abs(drawn.shift).max() <= 0.3 * 32


def test_the_first_view_and_weak_ones_keep_their_bytes() -> None:
    spec = tiny("ce", augment="crop_flip_rotate")
    rows = np.arange(50)
    weak, mixed = (BatchPlan(spec, rows, (8, 8), 2, strong=s).epoch(1) for s in (False, True))
    assert weak.views[0].to_bytes() == mixed.views[0].to_bytes()
    assert weak.views[1].to_bytes() != mixed.views[1].to_bytes()
    for name in ("offsets", "flip", "angle"):
        assert torch.equal(getattr(weak.views[1], name), getattr(mixed.views[1], name))
    assert (
        mixed.views[1].fingerprint()
        == BatchPlan(spec, rows, (8, 8), 2, strong=True).epoch(1).views[1].fingerprint()
    )


def test_without_augmentation_two_weak_views_are_equal_and_a_strong_one_is_not() -> None:
    spec, rows = tiny("ce"), np.arange(50)
    images = torch.tensor(random_images(50, 1, 8, 8))
    for strong_views in (False, True):
        first, second = BatchPlan(spec, rows, (8, 8), 2, strong=strong_views).epoch(0).views
        seen = [augment.apply(images, view) for view in (first, second)]
        assert torch.equal(seen[0], images)
        same = (seen[1] == images).flatten(1).all(dim=1)
        assert bool(same.all()) is not strong_views
        assert int(same.sum()) in ((50,) if not strong_views else (0, 1))


def test_a_batch_is_a_part_of_the_epoch_in_any_memory_format() -> None:
    images = torch.tensor(random_images(40, 3, 8, 8)).contiguous(memory_format=torch.channels_last)
    plan = augment.draw("crop_flip", 40, (8, 8), rng(5), strong=True)
    whole = augment.apply(images, plan)
    rows = torch.tensor([7, 0, 39, 7])
    part = augment.apply(images, plan[rows], rows)
    assert torch.equal(part, whole[rows])
    assert part.dtype == torch.uint8
    assert part.is_contiguous(memory_format=torch.channels_last)


def test_what_has_no_strong_view_is_refused_by_name() -> None:
    method = baselines.create("gjs")
    check_pixels(method, "digits", "uint8")
    check_pixels(baselines.create("elr"), "npz:mine", "float32")
    with pytest.raises(UserError, match=r"'gjs' has a strong.*'npz:mine' are float"):
        check_pixels(method, "npz:mine", "float32")
    with pytest.raises(UserError, match="there is no strong view"):
        augment.draw("resized_crop_flip", 2, SIZE, rng(0), strong=True)


@pytest.mark.parametrize("name", ["gjs", "sop+", "disc"])
def test_methods_that_compare_views_ask_for_a_strong_one(name: str) -> None:
    assert baselines.get(name).strong_views
    assert MethodSpec.of(name, baselines.create(name).params()).name == name
