"""An augmentation from outside: uniform numbers for each image, and what they do to a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from nlbench.benchmark.errors import UserError
from nlbench.outside import Kind, one_line

OUTSIDE = Kind("augmentation", "nlbench.augmentations", UserError)


@dataclass(frozen=True)
class Transform:
    """An augmentation of images in memory.

    Attributes:
        function: images (B, C, H, W) as they are stored, most often uint8, and ``numbers``
            (B, columns) float64 in [0, 1) on the same device -> images of the same shape and type.
            All that is random about it comes from the numbers, which are the same for every
            method; it does not write into the images it is given.
        columns: how many numbers each image gets.
    """

    function: Callable[[Tensor, Tensor], Tensor]
    columns: int

    def applied(self, name: str, images: Tensor, numbers: Tensor) -> Tensor:
        """The images changed; UserError, which names the augmentation, if it did not keep to it."""
        try:
            made = self.function(images, numbers)
        except Exception as error:
            raise UserError(f"augmentation {name!r} raised {one_line(error)}") from error
        if not isinstance(made, Tensor):
            raise OUTSIDE.refusal(name, made, "a tensor: what its function returns")
        if made.shape != images.shape or made.dtype != images.dtype:
            raise UserError(
                f"augmentation {name!r} made {_words(made)} of {_words(images)}; shape and type"
                " should stay"
            )
        return made


def find(name: str) -> Transform:
    """The augmentation of a name from outside.

    Raises:
        UserError: it cannot be imported, or is no Transform with at least one column.
    """
    found = OUTSIDE.load(name)
    if not isinstance(found, Transform):
        wanted = "a Transform(function, columns) of nlbench.benchmark.pipeline.augment_outside"
        raise OUTSIDE.refusal(name, found, wanted)
    if type(found.columns) is not int or found.columns < 1:
        raise UserError(
            f"augmentation {name!r}: columns = {found.columns!r} should be a whole number from 1 on"
        )
    return found


def _words(images: Tensor) -> str:
    return f"{tuple(images.shape)} {str(images.dtype).removeprefix('torch.')}"
