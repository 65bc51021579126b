"""Asymmetric noise: some classes flip to one similar class each, by a named map."""

from __future__ import annotations

import numpy as np

from noise.errors import NoiseError
from noise.flips import COUNT, flipped_indices
from noise.maps import default_map, find_map
from noise.registry import Draw, Model, Option, register
from noise.task import Labels, Task


def draw(task: Task) -> Draw:
    """Flip the rate's share of each source class to its target; other classes stay clean.

    The rate is per source class, as in the literature: with CIFAR-10's map, whose sources are five
    of ten classes, the overall rate is half of it. Sources are chosen on the clean labels, once.
    """
    chart = find_map(task.options["map"], task.dataset)
    try:
        targets = chart.targets(task.num_classes)
    except NoiseError as error:
        raise NoiseError(f"asymmetric: map '{chart.full_name}': {error}") from None
    if task.rate >= 0.5 and task.options["majority"] == "refuse":
        raise NoiseError(
            f"asymmetric: rate {task.rate} is not below 0.5: a source class would have at least as "
            "many wrong labels as right ones; ask for it by majority=allow"
        )
    return Draw(flip_to(task, targets), details={"map": chart.full_name})


def flip_to(task: Task, targets: Labels) -> Labels:
    """Return labels where the rate's share of each class c has become targets[c]."""
    sources = targets != np.arange(task.num_classes)
    chosen = flipped_indices(task, sources)
    noisy = task.labels.copy()
    noisy[chosen] = targets[task.labels[chosen]]
    return noisy


register(
    Model(
        name="asymmetric",
        draw=draw,
        options=(
            Option("map", "which class flips to which", settle=default_map),
            Option(
                "majority",
                "what to do from rate 0.5 on, where a class's commonest label is the wrong one",
                default="refuse",
                choices=("refuse", "allow"),
            ),
            COUNT,
        ),
        nested=True,
        summary=(
            "The rate's share of each source class gets the label of one similar class. Maps: "
            "MNIST and digits standard (default) and cdr; Fashion-MNIST gce (default), cdr and "
            "third-script, which disagree; CIFAR-10 standard; CIFAR-100 block5 (what nearly all "
            "papers ran) or superclass (what they say), to be named. The rate is per source class."
        ),
        source="Patrini et al., CVPR 2017; Fashion-MNIST: Zhang & Sabuncu, NeurIPS 2018",
        used_by="Patrini, SCE, APL, ANL, JAL, Drainage (flips chosen on the clean labels)",
    )
)
