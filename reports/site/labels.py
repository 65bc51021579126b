"""Noise facts for the page: realised rates, fingerprints, transition heat maps."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray

from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Condition
from nlbench.reports.read.names import BlockKey, pretty_condition
from nlbench.reports.text import NONE, number, rate

LEVELS = 10
MOST_CLASSES_AS_TABLE = 20
Counts = NDArray[np.int64]


@dataclass
class LabelSets:
    """What records hold about the labels they trained on, one entry per label set.

    The report's frame keeps a label set's fingerprint and rate; its K x K counts are only in the
    records, so they are kept here while the records pass by.

    Attributes:
        by_fingerprint: fingerprint -> the record's ``noise`` part.
    """

    by_fingerprint: dict[str, dict[str, Any]] = field(default_factory=dict)

    def watch(self, records: Iterable[RunRecord]) -> Iterator[RunRecord]:
        """Pass the records on, remembering each label set once."""
        for record in records:
            fingerprint = record.noise.get("fingerprint")
            if isinstance(fingerprint, str):
                self.by_fingerprint.setdefault(fingerprint, dict(record.noise))
            yield record


def noise_facts(
    results: Results, sets: LabelSets, command: Callable[[BlockKey, str, int], str]
) -> list[dict[str, Any]]:
    """One entry per block and condition, in table order.

    Args:
        results: the study.
        sets: the label sets of its records.
        command: block, noise line and seed -> what draws that label set again.
    """
    runs = results.frame.runs
    drawn = runs.dropna(subset=["noise_fingerprint"])
    drawn = drawn.drop_duplicates(["block", "condition", "seed", "noise_fingerprint"])
    found: dict[tuple[int, str], list[tuple[int, str]]] = {}
    columns = (drawn["block"], drawn["condition"], drawn["seed"], drawn["noise_fingerprint"])
    for block, condition, seed, print_ in zip(*columns, strict=True):
        found.setdefault((int(block), str(condition)), []).append((int(seed), str(print_)))
    return [
        _facts(
            block, condition, sorted(found.get((block.index, condition.line), [])), sets, command
        )
        for block in results.blocks
        for condition in block.conditions
    ]


def _facts(
    block: Block,
    condition: Condition,
    seeds: list[tuple[int, str]],
    sets: LabelSets,
    command: Callable[[BlockKey, str, int], str],
) -> dict[str, Any]:
    known = [(seed, print_, sets.by_fingerprint.get(print_, {})) for seed, print_ in seeds]
    return {
        "block": block.index,
        "title": block.title,
        "condition": condition.line,
        "pretty": pretty_condition(condition.line),
        "nominal": rate(condition.nominal),
        "realised": rate(condition.realised),
        "seeds": [
            {
                "seed": seed,
                "realised": number(facts.get("realised"), 4),
                "flipped": _count(facts.get("flipped")),
                "samples": _count(facts.get("samples")),
                "per_class": _span(facts.get("per_class")),
                "fingerprint": print_,
                "command": command(block.key, condition.line, seed),
            }
            for seed, print_, facts in known
        ],
        "heat": heat_map([facts.get("transition") for _, _, facts in known]),
    }


def heat_map(transitions: list[Any]) -> dict[str, Any] | None:
    """Row-normalised K x K counts summed over seeds: a table of percentages, or a picture.

    Args:
        transitions: K x K counts per label set, row = true class, column = given class.

    Returns:
        ``{"rows": [[{"text", "level"}]]}`` up to 20 classes, ``{"image", "classes"}`` above,
        ``None`` without counts or where no label changed.
    """
    counts = [np.asarray(t, dtype=np.int64) for t in transitions if t]
    shapes = {c.shape for c in counts}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or shape[0] != shape[1]:
        return None
    total: Counts = np.sum(counts, axis=0)
    if not (total - np.diag(np.diag(total))).any():
        return None
    shares = total / np.maximum(total.sum(axis=1, keepdims=True), 1)
    if shape[0] > MOST_CLASSES_AS_TABLE:
        return {"image": _picture(shares), "classes": int(shape[0])}
    return {
        "classes": int(shape[0]),
        "rows": [[{"text": _share(v), "level": _level(v)} for v in row] for row in shares],
    }


def _level(share: float) -> int:
    """Shade 0..LEVELS; the square root keeps small shares visible."""
    return round(LEVELS * math.sqrt(share))


def _share(share: float) -> str:
    percent = 100 * float(share)
    if percent == 0:
        return ""
    return f"{percent:.0f}" if percent >= 1 else f"{percent:.1f}".removeprefix("0")


def _picture(shares: NDArray[np.float64]) -> str:
    file = io.BytesIO()
    imsave(
        file, np.sqrt(shares), vmin=0, vmax=1, cmap="Blues", format="png", metadata={"Software": ""}
    )
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _count(value: Any) -> str:
    return NONE if value is None else f"{int(value):,}"


def _span(rates: Any) -> str:
    """Lowest to highest rate over the classes."""
    if not rates:
        return NONE
    low, high = min(rates), max(rates)
    return number(low, 3) if low == high else f"{number(low, 3)} to {number(high, 3)}"
