"""Aligning published label files with the data set at hand, and refusing those out of order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nlbench.noise.errors import NoiseError
from nlbench.noise.task import Labels, Task


def align(task: Task, name: str, values: Labels) -> Labels:
    """Return the values at the task's samples: all of them, or those at ``task.index``."""
    if task.index is None:
        if len(values) != len(task.labels):
            raise NoiseError(
                f"{name}: {len(values)} labels, the data set has {len(task.labels)} samples; "
                "a part of it needs the positions of its samples (index)"
            )
        return values
    if task.index.max() >= len(values):
        raise NoiseError(
            f"{name}: {len(values)} labels, but a sample has position {task.index.max()}"
        )
    return values[task.index]


def check_clean(task: Task, name: str, clean: Labels) -> None:
    """Refuse a file whose own clean labels are not those of the data set."""
    wrong = np.flatnonzero(clean != task.labels)
    if not len(wrong):
        return
    same = np.array_equal(np.sort(clean), np.sort(task.labels))
    hint = "; the same labels in another order (TensorFlow's?)" if same else ""
    raise NoiseError(
        f"{name}: its clean labels disagree with the data set's at {len(wrong)} of {len(clean)} "
        f"samples, first at index {wrong[0]} ({clean[wrong[0]]} and {task.labels[wrong[0]]}){hint}"
    )


def check_agreement(task: Task, name: str, noisy: Labels) -> None:
    """Refuse labels that agree with the clean ones no more often than chance: a wrong order."""
    size = len(noisy)
    share = np.bincount(noisy, minlength=task.num_classes) / size
    chance = float(share @ (task.sizes / size))
    found = np.count_nonzero(noisy == task.labels) / size
    if found <= chance + 3.0 * np.sqrt(chance * (1 - chance) / size):
        raise NoiseError(
            f"{name}: agrees with the clean labels on {found:.1%}, where chance gives "
            f"{chance:.1%}: probably another order of samples; check=none accepts it"
        )


def check_range(task: Task, name: str, values: NDArray[np.int64]) -> None:
    """Refuse labels outside the classes, with a hint where they count from one."""
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high < task.num_classes:
        return
    hint = "; they count from one: base=1" if (low, high) == (1, task.num_classes) else ""
    raise NoiseError(
        f"{name}: labels {low}..{high}, the classes are 0..{task.num_classes - 1}{hint}"
    )
