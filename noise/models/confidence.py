"""Confidence-based instance noise (Chen et al. 2021): the most confusable images flip."""

from __future__ import annotations

import numpy as np

from nlbench.noise.counts import largest_remainder
from nlbench.noise.errors import NoiseError
from nlbench.noise.registry import Draw, Model, register
from nlbench.noise.softmax import best_wrong, checked_softmax, softmax_facts
from nlbench.noise.task import Task


def draw(task: Task) -> Draw:
    """Flip the round(rate * N) samples with the largest probability of a wrong class, to it.

    The probabilities are a network's softmax averaged over its training epochs on clean labels.
    The overall rate is exact, those of the classes follow from the network. Ties go to the lower
    index. No random numbers: the seed changes nothing, the sets are nested over rates.
    """
    if task.num_classes < 2:
        raise NoiseError("confidence: a single class has no other class to flip to")
    candidate, score = best_wrong(checked_softmax(task), task.labels)
    count = largest_remainder([len(score)], task.rate)[0]
    chosen = np.argsort(-score, kind="stable")[:count]
    noisy = task.labels.copy()
    noisy[chosen] = candidate[chosen]
    return Draw(noisy, details=softmax_facts(task.features))


register(
    Model(
        name="confidence",
        draw=draw,
        needs="softmax",
        nested=True,
        summary=(
            "A network is trained on the clean labels and its softmax averaged over all epochs; "
            "the share of samples with the most probable wrong class gets that class. Exact "
            "overall rate, unequal per class, no random numbers."
        ),
        source="Chen et al., AAAI 2021 (Beyond class-conditional assumption); chenpf1025/IDN",
        used_by="Chen et al. and, extended to 0.6 and 0.8, BadLabels (its 'IDN' files)",
    )
)
