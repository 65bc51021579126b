"""One's own samples as a data set: labels of any kind as numbers, a test part held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nlbench.benchmark.datasets.base import Labels
from nlbench.benchmark.errors import UserError
from nlbench.noise import generator

# One in so many samples of each class is for testing where no test part is named.
ONE_IN = 5


def classes_of(labels: Sequence[Any], where: str) -> tuple[Any, ...]:
    """The distinct labels, sorted.

    Raises:
        UserError: fewer than two, labels of several types, or measurements that are no classes.
    """
    try:
        classes = tuple(sorted(set(labels)))
    except TypeError:
        types = ", ".join(sorted({type(label).__name__ for label in labels}))
        raise UserError(f"{where}: labels of the types {types}; they should be of one") from None
    for label in classes:
        if isinstance(label, float) and not label.is_integer():
            raise UserError(
                f"{where}: {label:g} is no class, which is a whole number or a name; is this the"
                " column of labels?"
            )
    if len(classes) < 2:
        only = f" ({classes[0]!r})" if classes else ""
        raise UserError(f"{where}: {len(classes)} class{only}; at least two are needed")
    return classes


def coded(labels: Sequence[Any], classes: Sequence[Any], where: str) -> Labels:
    """Labels as places in ``classes`` (UserError: one that is none of them)."""
    place = {label: at for at, label in enumerate(classes)}
    absent = next((label for label in labels if label not in place), None)
    if absent is not None:
        raise UserError(f"{where}: label {absent!r} is not among those of the training part")
    return np.array([place[label] for label in labels], dtype=np.int64)


def held_out(labels: Labels) -> npt.NDArray[np.bool_]:
    """Which samples are for testing: one in ONE_IN of each class, the same on every call.

    A class of fewer than ONE_IN samples is trained on, whole.
    """
    order = generator("nlbench-own-test", len(labels)).permutation(len(labels))
    test = np.zeros(len(labels), dtype=bool)
    for label in range(int(labels.max()) + 1):
        members = order[labels[order] == label]
        test[members[: len(members) // ONE_IN]] = True
    return test
