"""The contract of a data set: the same arrays every time, and every class in them."""

from __future__ import annotations

import numpy as np

from nlbench.benchmark import datasets


def repeated(name: str) -> str:
    """Loaded twice it is the same, byte for byte."""
    one, two = datasets.find(name), datasets.find(name)
    return "" if one.fingerprint == two.fingerprint else "two loads differ: draw nothing in it"


def classes(name: str) -> str:
    """There are two classes or more, each with training samples."""
    found = datasets.find(name)
    if found.num_classes < 2:
        return f"{found.num_classes} class: a classifier needs at least two"
    empty = np.flatnonzero(np.bincount(found.y_train, minlength=found.num_classes) == 0)
    return f"class {found.class_names[empty[0]]!r} has no training sample" if len(empty) else ""


CHECKS = (repeated, classes)
