"""Template: how labels become noisy."""

from __future__ import annotations

import numpy as np

from nlbench.noise import Draw, Model, Option, Task


def draw(task: Task) -> Draw:
    """Give the rate's share of the samples the class that lies ``step`` further.

    All that is random comes from ``task.stream(purpose)``; the raw words of its generator are the
    same on every machine and with every NumPy.
    """
    words = task.stream("flip").bit_generator.random_raw(len(task.labels))
    flipped = np.argsort(words, kind="stable")[: round(task.rate * len(task.labels))]
    noisy = task.labels.copy()
    noisy[flipped] = (noisy[flipped] + int(task.options["step"])) % task.num_classes
    return Draw(noisy)


TEMPLATE = Model(
    name="template",
    draw=draw,
    options=(Option("step", "how many classes further", default="1"),),
    nested=True,
    summary="A share of the samples gets the class that lies some classes further.",
    source="a template",
    used_by="",
)
