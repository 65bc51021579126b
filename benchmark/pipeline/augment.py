"""Augmentation of whole batches on the device, from plans drawn on the CPU.

A plan holds what one epoch does to each sample (crop offset, flip, rotation). It is drawn by
NumPy, so it is the same for every method and on every device; applying it is one gather.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline import strong as strong_view
from nlbench.benchmark.pipeline.augment_files import FILE_KINDS
from nlbench.benchmark.pipeline.augment_kinds import KINDS, check_name, is_outside
from nlbench.benchmark.pipeline.augment_outside import find

_FIXED = 16  # fraction bits of the fixed-point source coordinates of a rotation


@dataclass(frozen=True, kw_only=True)
class AugmentPlan:
    """What happens to each of n samples; a field is None where the kind does not use it.

    Attributes:
        kind: name of the augmentation.
        rows: n.
        offsets: (n, 2) uint8, row and column of the crop in the padded image, 0..2 pad.
        flip: (n,) bool, mirror left-right.
        angle: (n,) float32, degrees counter-clockwise.
        affine: (n, 6) int32, the inverse rotation by ``angle`` in 16.16 fixed point.
        numbers: (n, columns) float64 in [0, 1): what is done to images from files, see
            :mod:`nlbench.benchmark.pipeline.augment_files`, or by a kind from outside.
        tone: (n, 4) int32 of a strong view, as ``box`` and an ``affine`` that is not the rotation
            alone; see :mod:`nlbench.benchmark.pipeline.strong`.
        box: (n, 4) int32.
    """

    kind: str
    rows: int
    offsets: Tensor | None = None
    flip: Tensor | None = None
    angle: Tensor | None = None
    affine: Tensor | None = None
    numbers: Tensor | None = None
    tone: Tensor | None = None
    box: Tensor | None = None

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, rows: slice | Tensor) -> AugmentPlan:
        """The plan of some rows: a slice, or int64 positions on the plan's device."""
        count = len(range(self.rows)[rows]) if isinstance(rows, slice) else len(rows)
        return self.mapped(lambda part: part[rows], count)

    @property
    def device(self) -> torch.device:
        """Where the tensors are; the CPU if there are none."""
        return next((part.device for part in self.tensors()), torch.device("cpu"))

    @property
    def margin(self) -> int:
        """Width of the zero border that the gather reads from; at least one pixel."""
        return max(1, KINDS[self.kind].pad)

    @property
    def is_identity(self) -> bool:
        """Whether applying the plan changes nothing, whatever was drawn."""
        return not self.is_outside and all(
            part is None for part in (self.offsets, self.flip, self.affine)
        )

    @property
    def is_outside(self) -> bool:
        """Whether code from outside applies it."""
        return is_outside(self.kind)

    def to(self, device: torch.device | str) -> AugmentPlan:
        """The plan with its tensors on ``device``."""
        return self.mapped(lambda part: part.to(device))

    def to_bytes(self) -> bytes:
        """What was drawn, for hashing: the same on every machine (a rotation is its angle)."""
        head = f"nlbench-augment-1 {self.kind} {self.rows} ".encode()
        parts = [self.offsets, self.flip, self.angle, self.numbers]
        parts += [] if self.tone is None else [self.affine, self.tone, self.box]
        drawn = (part.cpu().numpy() for part in parts if part is not None)
        return head + b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in drawn)

    def fingerprint(self) -> str:
        """SHA-256 hex digest of :meth:`to_bytes`."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def tensors(self) -> list[Tensor]:
        """The tensors there are, in one order."""
        drawn = (self.offsets, self.flip, self.angle, self.affine, self.numbers)
        parts = (*drawn, self.tone, self.box)
        return [part for part in parts if part is not None]

    def mapped(self, change: Callable[[Tensor], Tensor], rows: int | None = None) -> AugmentPlan:
        """The plan with every tensor changed, and so many rows if that changes them."""

        def part(value: Tensor | None) -> Tensor | None:
            return None if value is None else change(value)

        return AugmentPlan(
            kind=self.kind,
            rows=self.rows if rows is None else rows,
            offsets=part(self.offsets),
            flip=part(self.flip),
            angle=part(self.angle),
            affine=part(self.affine),
            numbers=part(self.numbers),
            tone=part(self.tone),
            box=part(self.box),
        )


def draw(
    kind: str,
    n: int,
    size: tuple[int, int],
    generator: np.random.Generator,
    strong: bool = False,
) -> AugmentPlan:
    """Draw the plan of one epoch for ``n`` images of ``size`` (height, width).

    Offsets, flips and angles are drawn in this order, n of each, so kinds that share a part share
    its values; what a strong view does beyond them follows. For images from files a row of uniform
    numbers is drawn per sample.

    Raises:
        UserError: unknown kind, or a strong view of images from files.
    """
    check_name(kind)
    if kind in FILE_KINDS:
        if strong:
            raise UserError(f"augment = {kind!r} is for files, of which there is no strong view")
        numbers = generator.random((n, FILE_KINDS[kind].columns))
        return AugmentPlan(kind=kind, rows=n, numbers=torch.from_numpy(numbers))
    if is_outside(kind):
        if strong:
            raise UserError(f"augment = {kind!r} is from outside: there is no strong view of it")
        numbers = generator.random((n, find(kind).columns))
        return AugmentPlan(kind=kind, rows=n, numbers=torch.from_numpy(numbers))
    how = KINDS[kind]
    offsets = flip = angle = affine = None
    if how.pad:
        positions = np.floor(generator.random((n, 2)) * (2 * how.pad + 1))
        offsets = torch.from_numpy(positions.astype(np.uint8))
    if how.flip:
        flip = torch.from_numpy(generator.random(n) < 0.5)
    if how.degrees:
        angles = ((2 * generator.random(n) - 1) * how.degrees).astype(np.float32)
        angle = torch.from_numpy(angles)
        affine = torch.from_numpy(rotation_coefficients(angles, size))
    plan = AugmentPlan(kind=kind, rows=n, offsets=offsets, flip=flip, angle=angle, affine=affine)
    return _strengthened(plan, size, generator) if strong else plan


def _strengthened(
    plan: AugmentPlan, size: tuple[int, int], generator: np.random.Generator
) -> AugmentPlan:
    """The plan with a strong view's operations beside its own."""
    drawn = strong_view.draw(plan.rows, size, generator)
    angles = np.zeros(plan.rows) if plan.angle is None else plan.angle.double().numpy()
    return replace(
        plan,
        affine=torch.from_numpy(strong_view.coefficients(drawn, angles, size)),
        tone=torch.from_numpy(drawn.tone),
        box=torch.from_numpy(drawn.box),
    )


def rotation_coefficients(
    angles: npt.NDArray[np.float32], size: tuple[int, int]
) -> npt.NDArray[np.int32]:
    """Where each pixel of a rotated image comes from, as Pillow computes it.

    For target pixel (x, y) the source column is (a0 x + a1 y + a2) >> 16 and the source row
    (a3 x + a4 y + a5) >> 16. Pillow's ``Image.rotate`` with NEAREST evaluates the inverse
    rotation about (width / 2, height / 2) at pixel centres in this 16.16 fixed point; so the
    result is equal to Pillow's, and integer arithmetic makes it equal on all devices.

    Args:
        angles: (n,) degrees counter-clockwise.
        size: (height, width), each below 32,768.

    Returns:
        (n, 6) int32: a0..a5.
    """
    height, width = size
    radians = -np.radians(angles.astype(np.float64))
    cosine, sine = np.round(np.cos(radians), 15), np.round(np.sin(radians), 15)
    x, y = width / 2, height / 2
    across = (cosine, sine, cosine * -x + sine * -y + x)
    down = (-sine, cosine, -sine * -x + cosine * -y + y)
    rows = [(a, b, c + a * 0.5 + b * 0.5) for a, b, c in (across, down)]
    fixed = [np.floor(value * 2.0**_FIXED + 0.5) for row in rows for value in row]
    return np.stack(fixed, axis=1).astype(np.int32)


def apply(images: Tensor, plan: AugmentPlan, rows: Tensor | None = None) -> Tensor:
    """Augment a batch; one gather, no loop over samples, nothing waits for the device.

    Args:
        images: (N, C, H, W), any type (for a strong view uint8), any memory format.
        plan: one row per image of the batch, on the device of ``images``.
        rows: (B,) int64, which image of ``images`` each plan row is for, so that a batch comes
            straight out of a resident data set; None if there are as many rows as images.

    Returns:
        (B, C, H, W) with the type and memory format of ``images``.
    """
    if len(plan) != len(images if rows is None else rows):
        raise ValueError(f"{len(plan)} plan rows, {len(images if rows is None else rows)} images")
    if plan.is_identity:
        return images if rows is None else _like(images, images[rows])
    if plan.is_outside:
        assert plan.numbers is not None  # draw() has made them
        batch = images if rows is None else images[rows]
        return _like(images, find(plan.kind).applied(plan.kind, batch, plan.numbers))
    batch = images.permute(0, 2, 3, 1)
    batch = batch if rows is None else batch.index_select(0, rows)
    batch = batch if plan.tone is None else strong_view.toned(batch, plan.tone)
    count, height, width, channels = batch.shape
    pad = plan.margin
    padded = batch.new_zeros((count, height + 2 * pad, width + 2 * pad, channels))
    padded[:, pad : pad + height, pad : pad + width] = batch
    pixels = padded.view(-1, channels).index_select(0, _source(plan, height, width).view(-1))
    return _like(images, pixels.view(count, height, width, channels).permute(0, 3, 1, 2))


def _source(plan: AugmentPlan, height: int, width: int) -> Tensor:
    """(B, H, W) int32: which pixel of the padded batch, counted row by row, goes where.

    Follows a target pixel backwards: through the rotation, the flip, then the crop.
    """
    device, pad = plan.device, plan.margin
    y = torch.arange(height, device=device, dtype=torch.int32)[None, :, None]
    x = torch.arange(width, device=device, dtype=torch.int32)[None, None, :]
    inside = None
    if plan.affine is not None:
        a = plan.affine[:, :, None, None].unbind(1)
        x, y = (a[0] * x + a[1] * y + a[2]) >> _FIXED, (a[3] * x + a[4] * y + a[5]) >> _FIXED
        inside = (y.clamp(0, height - 1) == y) & (x.clamp(0, width - 1) == x)
        inside = inside if plan.box is None else strong_view.cut(inside, plan.box)
    if plan.flip is not None:
        x = torch.where(plan.flip[:, None, None], width - 1 - x, x)
    if plan.offsets is None:
        y, x = y + pad, x + pad
    else:
        y, x = y + plan.offsets[:, 0, None, None], x + plan.offsets[:, 1, None, None]
    rows, columns = height + 2 * pad, width + 2 * pad
    wide = torch.int32 if len(plan) * rows * columns < 2**31 else torch.int64
    first = torch.arange(len(plan), device=device, dtype=wide)[:, None, None] * rows
    index = (first + y) * columns + x
    # Pixel 0 lies in the padding: it is zero.
    return index if inside is None else torch.where(inside, index, 0)


def _like(images: Tensor, batch: Tensor) -> Tensor:
    """``batch`` in the memory format of ``images``."""
    last = torch.channels_last
    wanted = images.is_contiguous(memory_format=last) and not images.is_contiguous()
    return batch.contiguous(memory_format=last if wanted else torch.contiguous_format)
