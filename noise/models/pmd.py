"""Polynomial-margin-diminishing noise (Zhang et al. 2021): labels between the two likeliest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError
from nlbench.noise.registry import Draw, Model, Option, register
from nlbench.noise.rng import raw
from nlbench.noise.softmax import Floats, TopTwo, checked_softmax, softmax_facts, top_two
from nlbench.noise.task import Labels, Task

_GRID = 2**32
_LARGEST_FACTOR = 1024.0

# Probability of keeping the likeliest class u, 1 - f(d), by the margin d = eta_u - eta_s.
_KEEP: dict[str, Callable[[Floats], Floats]] = {
    "1": lambda d: 0.5 * (1.0 + d * d),
    "2": lambda d: d * d * d,
    "3": lambda d: (d * d * d + d * d + d) / 3.0,
}


def draw(task: Task) -> Draw:
    """Label each sample u, its likeliest class, with probability min(1, (1 - f(d)) / factor), or s.

    d is the margin of the likeliest class u over the second, s. f is 1/2 (1 - d^2) for type 1,
    1 - d^3 for type 2, 1 - (d^3 + d^2 + d) / 3 for type 3. The authors tune ``factor``; here
    it is solved for the expected rate of labels that are not the true class. A wrong u is itself
    noise, so the rates between that of u and that of s can be reached. The realised rate is random.
    """
    if task.num_classes < 2:
        raise NoiseError("pmd: a single class has no second class")
    top = top_two(checked_softmax(task))
    keep = _KEEP[task.options["type"]](top.first_probability - top.second_probability)
    factor, thresholds = _solve(task, top, keep)
    words = raw(task.stream("flip"), len(task.labels))
    kept: NDArray[np.bool_] = (words >> np.uint64(32)).astype(np.int64) < thresholds
    noisy = np.where(kept, top.first, top.second)
    return Draw(noisy, details={"factor": factor, **softmax_facts(task.features)})


def _solve(task: Task, top: TopTwo, keep: Floats) -> tuple[float, Labels]:
    """Return the factor whose expected rate is the task's, and the thresholds on a grid of 2^-32.

    Sums are of integers and the steps halve an interval, so that the result is exact everywhere.
    """
    wrong_first = (top.first != task.labels).astype(np.int64)
    wrong_second = (top.second != task.labels).astype(np.int64)
    size = len(keep)
    low_rate, high_rate = wrong_first.sum() / size, wrong_second.sum() / size

    def thresholds(factor: float) -> Labels:
        limits: Labels = np.rint(np.minimum(1.0, keep / factor) * _GRID).astype(np.int64)
        return limits

    def expected(factor: float) -> float:
        limits = thresholds(factor)
        total = int((wrong_first * limits + wrong_second * (_GRID - limits)).sum())
        return total / (size * _GRID)

    low, high = 2.0**-20, _LARGEST_FACTOR
    if not expected(low) <= task.rate <= expected(high):
        raise NoiseError(
            f"pmd: rate {task.rate} cannot be reached: this network's first choices are wrong on "
            f"{low_rate:.4f} of the samples, its second ones on {high_rate:.4f}"
        )
    for _ in range(64):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < task.rate else (low, middle)
    return high, thresholds(high)


register(
    Model(
        name="pmd",
        draw=draw,
        needs="softmax",
        options=(
            Option(
                "type",
                "1, 2 or 3: how the probability of the second choice falls with the margin",
                default="1",
                choices=tuple(_KEEP),
            ),
        ),
        summary=(
            "A network is trained on the clean labels; each sample gets its first or its second "
            "choice, the second the likelier the smaller the margin between them. The factor that "
            "the authors tune by hand to 35 % and 70 % is solved for the rate asked for."
        ),
        source="Zhang et al., ICLR 2021 (progressive label correction); pxiangwu/PLC",
        used_by="PLC and its line, at 0.35 and 0.7, alone or with symmetric or asymmetric noise",
    )
)
