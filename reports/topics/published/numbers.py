"""Published accuracies, each with its place in the source: numbers.csv beside this file.

The table has the settings that nlbench can train: CIFAR-10 (and 10N) with the 8-layer CNN, and
CIFAR-100 (and 100N) with ResNet-34. A source that begins with SECONDARY is second-hand: the number
was copied from a text about the paper, not from the paper.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

SECOND_HAND = "SECONDARY: "


@dataclass(frozen=True)
class Number:
    """One published mean accuracy.

    Attributes:
        method: as the source writes it, e.g. ``NCE+RCE``.
        dataset: ``CIFAR-10``, ``CIFAR-10N``, ``CIFAR-100``, ``CIFAR-100N``.
        noise_type: ``clean``, ``symmetric``, ``asymmetric``, ``instance``, ``human-worst``, ...
        rate: nominal noise rate in [0, 1].
        model: as the source's field calls it.
        mean: in percent.
        sd: over the source's runs, ``None`` if it gives none.
        metric: ``last``, ``best`` (over epochs, on the test set) or what the source leaves open.
        source: paper and table.
        second_hand: whether the source is not the paper itself.
    """

    method: str
    dataset: str
    noise_type: str
    rate: float
    model: str
    mean: float
    sd: float | None
    metric: str
    source: str
    second_hand: bool


@lru_cache(maxsize=1)
def numbers() -> tuple[Number, ...]:
    """All published numbers, in the order of the table."""
    text = (resources.files("nlbench.reports.topics.published") / "numbers.csv").read_text("utf-8")
    return tuple(_number(row) for row in csv.DictReader(text.splitlines()))


def _number(row: dict[str, str]) -> Number:
    source = row["source"]
    return Number(
        method=row["method"],
        dataset=row["dataset"],
        noise_type=row["noise_type"],
        rate=float(row["noise_rate"]),
        model=row["model"],
        mean=float(row["mean"]),
        sd=float(row["std"]) if row["std"] else None,
        metric=row["metric"],
        source=source.removeprefix(SECOND_HAND),
        second_hand=source.startswith(SECOND_HAND),
    )
