from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline import augment, augment_kinds
from nlbench.benchmark.pipeline.augment import AugmentPlan
from nlbench.benchmark.pipeline.normalise import Normaliser
from tests.helpers.images import one_by_one, random_images, rng

FORMATS = (torch.contiguous_format, torch.channels_last)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("kind", augment_kinds.names())
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (1, 8, 8), (3, 5, 11)])
def test_pixel_exact_against_pil(
    shape: tuple[int, int, int], kind: str, memory_format: torch.memory_format
) -> None:
    images = random_images(300, *shape)
    plan = augment.draw(kind, len(images), (shape[1], shape[2]), rng(1))
    batch = torch.tensor(images).contiguous(memory_format=memory_format)
    out = augment.apply(batch, plan)
    assert out.dtype == torch.uint8
    assert out.is_contiguous(memory_format=memory_format)
    np.testing.assert_array_equal(out.numpy(), one_by_one(images, plan))


@settings(max_examples=60, deadline=None)
@given(
    degrees=st.one_of(
        st.floats(-360, 360, width=32), st.sampled_from([0.0, -20.0, 20.0, 45.0, 90.0, 180.0])
    ),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_rotation_rounds_as_pillow_at_any_angle(degrees: float, height: int, width: int) -> None:
    angles = np.array([degrees], dtype=np.float32)
    images = random_images(1, 1, height, width)
    plan = AugmentPlan(
        kind="none",
        rows=1,
        angle=torch.from_numpy(angles),
        affine=torch.from_numpy(augment.rotation_coefficients(angles, (height, width))),
    )
    out = augment.apply(torch.tensor(images), plan)
    np.testing.assert_array_equal(out.numpy(), one_by_one(images, plan))


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("kind", augment_kinds.names())
def test_rows_gather_from_the_resident_set(kind: str, memory_format: torch.memory_format) -> None:
    resident = torch.tensor(random_images(50, 3, 9, 7)).contiguous(memory_format=memory_format)
    plan = augment.draw(kind, 20, (9, 7), rng(3))
    rows = torch.tensor(rng(4).integers(0, 50, 20))
    out = augment.apply(resident, plan, rows)
    assert out.is_contiguous(memory_format=memory_format)
    assert torch.equal(out, augment.apply(resident[rows], plan))


@pytest.mark.parametrize("kind", augment_kinds.names())
def test_a_batch_is_a_part_of_the_epoch(kind: str) -> None:
    images = torch.tensor(random_images(40, 3, 8, 8))
    plan = augment.draw(kind, 40, (8, 8), rng(5))
    whole = augment.apply(images, plan)
    rows = torch.tensor([7, 0, 39, 7])
    assert torch.equal(augment.apply(images[rows], plan[rows]), whole[rows])
    assert torch.equal(augment.apply(images[10:25], plan[10:25]), whole[10:25])
    assert len(plan[rows]) == 4
    assert len(plan[35:99]) == 5


def test_float_images_are_moved_the_same_way() -> None:
    images = random_images(30, 3, 8, 8)
    plan = augment.draw("crop_flip_rotate", 30, (8, 8), rng(6))
    floats = augment.apply(torch.tensor(images).double(), plan)
    assert torch.equal(floats, augment.apply(torch.tensor(images), plan).double())


def test_the_input_is_left_alone() -> None:
    images = torch.tensor(random_images(10, 3, 8, 8))
    before = images.clone()
    augment.apply(images, augment.draw("crop_flip_rotate", 10, (8, 8), rng(7)))
    assert torch.equal(images, before)


def test_plan_of_another_length_is_refused() -> None:
    images = torch.tensor(random_images(10, 3, 8, 8))
    with pytest.raises(ValueError, match="9 plan rows, 10 images"):
        augment.apply(images, augment.draw("crop_flip", 9, (8, 8), rng(0)))
    with pytest.raises(ValueError, match="3 plan rows, 2 images"):
        augment.apply(images, augment.draw("none", 3, (8, 8), rng(0)), torch.tensor([1, 2]))


def test_draws_are_uniform_and_independent() -> None:
    n = 40_500
    plan = augment.draw("crop_flip_rotate", n, (32, 32), rng(8))
    assert plan.offsets is not None
    assert plan.flip is not None
    assert plan.angle is not None
    offsets, flip = plan.offsets.numpy().astype(int), plan.flip.numpy()
    cells = np.bincount(offsets[:, 0] * 9 + offsets[:, 1], minlength=81)
    assert len(cells) == 81
    assert stats.chisquare(cells).pvalue > 1e-3
    assert stats.binomtest(int(flip.sum()), n, 0.5).pvalue > 1e-3
    assert stats.kstest(plan.angle.numpy(), stats.uniform(-20, 40).cdf).pvalue > 1e-3
    table = np.stack([np.bincount(offsets[flip == side, 0], minlength=9) for side in (0, 1)])
    assert stats.chi2_contingency(table).pvalue > 1e-3
    turned = stats.ttest_ind(plan.angle.numpy()[flip], plan.angle.numpy()[~flip])
    assert turned.pvalue > 1e-3


def test_kinds_share_what_they_share() -> None:
    crop = augment.draw("crop_flip", 100, (8, 8), rng(9))
    rotate = augment.draw("crop_flip_rotate", 100, (8, 8), rng(9))
    assert crop.offsets is not None
    assert rotate.offsets is not None
    assert torch.equal(crop.offsets, rotate.offsets)
    assert crop.to_bytes() != rotate.to_bytes()


def test_bytes_identify_what_was_drawn() -> None:
    plan = augment.draw("crop_flip_rotate", 10, (8, 8), rng(10))
    again = augment.draw("crop_flip_rotate", 10, (8, 8), rng(10))
    other = augment.draw("crop_flip_rotate", 10, (8, 8), rng(11))
    assert plan.to_bytes() == again.to_bytes() == plan.to("cpu").to_bytes()
    assert plan.fingerprint() == hashlib.sha256(plan.to_bytes()).hexdigest()
    assert plan.to_bytes() != other.to_bytes()
    assert augment.draw("none", 3, (8, 8), rng(0)).to_bytes() != plan.to_bytes()


def test_golden_plan() -> None:
    """The stream behind every published run: it must not change unnoticed."""
    plan = augment.draw("crop_flip_rotate", 1000, (32, 32), rng(12))
    assert plan.fingerprint() == "77362451e8292cc884b55d7affa97588953433f0f5bd982854a81ddfe7b9222a"


def test_unknown_kind_offers_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown augmentation 'crop-flip'.*mean 'crop_flip'"):
        augment.draw("crop-flip", 3, (8, 8), rng(0))


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_normalise_is_to_tensor_and_normalize(
    dtype: torch.dtype, memory_format: torch.memory_format
) -> None:
    mean, std = (0.49139968, 0.48215827, 0.44653124), (0.24703233, 0.24348505, 0.26158768)
    images = random_images(4, 3, 6, 5)
    batch = torch.tensor(images).contiguous(memory_format=memory_format)
    out = Normaliser(mean, std, "cpu", dtype)(batch)
    column = (slice(None), None, None)
    exact = (images / 255 - np.array(mean)[column]) / np.array(std)[column]
    assert out.dtype == dtype
    assert out.is_contiguous(memory_format=memory_format)
    tolerance = {torch.float32: 1e-6, torch.float64: 1e-14, torch.bfloat16: 2**-8 * 3}[dtype]
    np.testing.assert_allclose(out.double().numpy(), exact, rtol=0, atol=tolerance)


def test_normalise_takes_float_images_in_their_own_units() -> None:
    values = torch.tensor([[[[3.0]], [[-1.0]]]])
    out = Normaliser((1.0, 1.0), (2.0, 4.0), "cpu")(values)
    assert out.flatten().tolist() == [1.0, -0.5]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("memory_format", FORMATS)
def test_gpu_gives_the_same_pixels_and_never_waits(memory_format: torch.memory_format) -> None:
    images = torch.tensor(random_images(200, 3, 32, 32)).contiguous(memory_format=memory_format)
    plan = augment.draw("crop_flip_rotate", 200, (32, 32), rng(13))
    rows = torch.arange(199, -1, -1)
    wanted = augment.apply(images, plan, rows)
    resident, far, where = images.cuda(), plan.to("cuda"), rows.cuda()
    normalise = Normaliser((0.5,) * 3, (0.2,) * 3, "cuda", torch.bfloat16)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        out = augment.apply(resident, far[where], where)
        normalise(out)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.equal(out.cpu(), augment.apply(images, plan[rows], rows))
    assert not torch.equal(out.cpu(), wanted)
