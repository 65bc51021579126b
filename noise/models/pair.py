"""Pair flip: every class flips to the next one."""

from __future__ import annotations

import numpy as np

from nlbench.noise.errors import NoiseError
from nlbench.noise.flips import COUNT
from nlbench.noise.models.asymmetric import flip_to
from nlbench.noise.registry import Draw, Model, register
from nlbench.noise.task import Task


def draw(task: Task) -> Draw:
    """Flip the rate's share of each class i to (i + 1) mod K; the rate is below 1/2."""
    k = task.num_classes
    if k < 2:
        raise NoiseError("pair: a single class has no next class")
    return Draw(flip_to(task, (np.arange(k, dtype=np.int64) + 1) % k))


register(
    Model(
        name="pair",
        draw=draw,
        limit=0.5,
        limit_reason="from there on the next class would be a class's commonest label",
        options=(COUNT,),
        nested=True,
        summary=(
            "Each class i flips to i + 1, the last to the first, whatever the classes mean. The "
            "usual rate is 0.45; it must stay below 0.5."
        ),
        source="Han et al., NeurIPS 2018 (Co-teaching)",
        used_by="Co-teaching and its line; AQuA calls it asymmetric",
    )
)
