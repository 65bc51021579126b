"""Random images, and torchvision's transforms of them one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torchvision.transforms.functional as reference
from PIL import Image

from nlbench.benchmark.pipeline.augment import AugmentPlan

Images = npt.NDArray[np.uint8]


def rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed))


def random_images(n: int, channels: int, height: int, width: int, seed: int = 0) -> Images:
    # No pixel is 0, so that filled-in zeros cannot hide.
    return rng(seed).integers(1, 256, (n, channels, height, width), dtype=np.uint8)


def one_by_one(images: Images, plan: AugmentPlan) -> Images:
    """torchvision on PIL images, sample by sample, in the protocol's order."""
    height, width = images.shape[2:]
    out = []
    for i, image in enumerate(images):
        colour = image.shape[0] == 3
        pil = Image.fromarray(
            np.ascontiguousarray(image.transpose(1, 2, 0) if colour else image[0])
        )
        if plan.offsets is not None:
            top, left = plan.offsets[i].tolist()
            pil = reference.crop(reference.pad(pil, [4]), top, left, height, width)
        if plan.flip is not None and bool(plan.flip[i]):
            pil = reference.hflip(pil)
        if plan.angle is not None:
            pil = reference.rotate(pil, float(plan.angle[i]))
        array = np.asarray(pil)
        out.append(array.transpose(2, 0, 1) if colour else array[None])
    return np.stack(out)
