"""The contract of an augmentation: each image changed by its own numbers, and by nothing else."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from nlbench.benchmark.pipeline import augment
from nlbench.noise import generator

IMAGES = 16
REPEATS = 16  # a coin of its own falls the same way this often once in 65,536 checks


def kept(name: str) -> str:
    """Shape and type of the images stay, and the images it is given are not written to."""
    for images in (_images(), _images().float() / 255):
        before = images.clone()
        augment.apply(images, _plan(name))  # it raises where shape or type change
        if not torch.equal(images, before):
            return "it writes into the images that it is given: change a copy"
    return ""


def changed(name: str) -> str:
    """Some images are changed, and not in one and the same way by all numbers."""
    images = _images()
    one, other = (augment.apply(images, _plan(name, seed)) for seed in (0, 1))
    if torch.equal(one, images):
        return "no image is changed"
    return "other numbers change nothing" if torch.equal(one, other) else ""


def repeated(name: str) -> str:
    """The same numbers change the same images in the same way."""
    first, *others = (augment.apply(_images(), _plan(name)) for _ in range(REPEATS + 1))
    if all(torch.equal(first, other) for other in others):
        return ""
    return "it draws random numbers of its own: take those given"


def alone(name: str) -> str:
    """What becomes of an image does not depend on the others in its batch."""
    apply = partial(augment.apply, _images())
    plan, rows = _plan(name), torch.tensor([3, 0])
    whole, part = apply(plan), apply(plan[rows], rows)
    return "" if torch.equal(whole[rows], part) else "two images alone become others"


CHECKS = (kept, changed, repeated, alone)


def _images() -> Tensor:
    drawn = generator("nlbench-check").random((IMAGES, 3, 32, 32))
    return torch.from_numpy(256 * drawn).to(torch.uint8)


def _plan(name: str, seed: int = 0) -> augment.AugmentPlan:
    return augment.draw(name, IMAGES, (32, 32), generator("nlbench-check", seed))
