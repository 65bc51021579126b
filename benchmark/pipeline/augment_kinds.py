"""The kinds of augmentation, by name."""

from __future__ import annotations

from dataclasses import dataclass

from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.pipeline.augment_files import FILE_KINDS
from nlbench.benchmark.pipeline.augment_outside import OUTSIDE, find


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """A kind of augmentation: random crop of the zero-padded image, then flip, then rotation.

    Attributes:
        pad: zero pixels added on each side before the crop of the original size.
        flip: mirror left-right with probability 1/2.
        degrees: rotate about the centre by U(-degrees, degrees), nearest pixel, zeros outside.
    """

    pad: int = 0
    flip: bool = False
    degrees: float = 0.0


# crop_flip and crop_flip_rotate are the CIFAR-10 and CIFAR-100 protocols of APL, ALF, ANL,
# eps-softmax and Drainage: RandomCrop(32, padding=4), RandomHorizontalFlip, RandomRotation(20).
KINDS = {
    "none": Augmentation(),
    "crop_flip": Augmentation(pad=4, flip=True),
    "crop_flip_rotate": Augmentation(pad=4, flip=True, degrees=20.0),
}


def names() -> tuple[str, ...]:
    """Names of all kinds of augmentation: ours and those of entry points."""
    return (*KINDS, *FILE_KINDS, *(n for n in OUTSIDE.names() if not _is_ours(n)))


def check_name(name: str, where: str = "") -> None:
    """Raise UserError unless a kind of this name exists."""
    if is_outside(name):
        find(name)
    elif not _is_ours(name):
        raise unknown("augmentation", name, names(), where)


def _is_ours(name: str) -> bool:
    return name in KINDS or name in FILE_KINDS


def is_outside(name: str) -> bool:
    """Whether a kind of augmentation is code from outside."""
    return not _is_ours(name) and OUTSIDE.is_outside(name)


def check_fits(name: str, from_files: bool, dataset: str) -> None:
    """Refuse a kind that is not for images in memory, or not for those from files (UserError)."""
    fitting = {"none", *FILE_KINDS} if from_files else set(KINDS)
    if name not in fitting and (from_files or not is_outside(name)):
        where = "read from files" if from_files else "in memory"
        raise UserError(
            f"recipe: augment = {name!r} is not for data set {dataset!r}, whose images are {where};"
            f" take one of {', '.join(n for n in names() if n in fitting)}"
        )
