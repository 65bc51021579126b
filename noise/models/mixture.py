"""Mixtures: several noise models on the same labels, written with a plus."""

from __future__ import annotations

import numpy as np

from nlbench.noise.errors import NoiseError
from nlbench.noise.registry import Draw, Model, Scalar, get, register
from nlbench.noise.spec import MIXTURE
from nlbench.noise.task import Task


def draw(task: Task) -> Draw:
    """Draw every part on the clean labels, from its own stream; a later part goes over an earlier.

    A sample keeps its clean label only where no part flips it, so that parts of rates r1 and r2
    make 1 - (1 - r1)(1 - r2) on average. Replaced images (open-set noise) keep their label.
    """
    noisy = task.labels.copy()
    replaced = source = None
    details: dict[str, Scalar] = {}
    for position, part in enumerate(task.parts):
        drawn = get(part.kind).draw(part)
        hit = drawn.noisy != task.labels
        noisy[hit] = drawn.noisy[hit]
        details |= {f"{position}.{name}": value for name, value in drawn.details.items()}
        if drawn.replaced is not None and drawn.source is not None:
            if replaced is not None:
                raise NoiseError("mixture: images can be replaced by one part only")
            replaced, source = drawn.replaced, drawn.source
    if replaced is not None:
        noisy = np.where(replaced, task.labels, noisy)
    return Draw(noisy, replaced, source, details)


register(
    Model(
        name=MIXTURE,
        draw=draw,
        argument="",
        syntax="KIND:RATE+KIND:RATE[+...]",
        summary=(
            "Written 'symmetric:0.2+instance:0.2': every part is drawn on the clean labels from "
            "its own stream, and a later part goes over an earlier one. Two rates r1 and r2 make "
            "1 - (1 - r1)(1 - r2) on average; images that open-set noise replaces keep their label."
        ),
        source="hybrid noise: Zhang et al., ICLR 2021 (PMD + uniform or asymmetric)",
        used_by="PLC and its line (PMD + symmetric 0.3/0.6 or asymmetric 0.3); open-set studies",
    )
)
