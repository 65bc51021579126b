"""Whether a method's lead over the baseline grows or shrinks with the number of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.pairing import match
from nlbench.reports.compare.results import Results
from nlbench.reports.stats import PairedTest, holm_known, paired_t
from nlbench.reports.topics.classes.find import ClassStudy, Point

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trend:
    """Change of a method's lead over the baseline per class.

    Attributes:
        method: label.
        test: per-seed least-squares slopes of the lead on the number of classes, in points per
            class, against 0; ``None`` where a point is incomplete or not paired.
        p_holm: over the methods of the study.
        family: how many those are.
        reason: why there is no test, empty if there is one.
    """

    method: str
    test: PairedTest | None
    p_holm: float | None
    family: int
    reason: str


def verdict_of(results: Results, study: ClassStudy, point: Point, method: str) -> Comparison | None:
    """The report's own comparison with the baseline at one number of classes."""
    for verdict in results.of(point.block, point.condition):
        if (verdict.a, verdict.b) == (method, study.baseline):
            return verdict
    return None


def trends(study: ClassStudy) -> tuple[Trend, ...]:
    """The trend of every method but the baseline."""
    others = [method for method in study.methods if method != study.baseline]
    tests = [_test(study, method) for method in others]
    adjusted = holm_known([None if test is None else test.p for test, _ in tests])
    return tuple(
        Trend(method, test, p, len(others), reason)
        for method, (test, reason), p in zip(others, tests, adjusted, strict=True)
    )


def _test(study: ClassStudy, method: str) -> tuple[PairedTest | None, str]:
    leads: list[Floats] = []
    seeds: set[tuple[int, ...]] = set()
    for point in study.points:
        mine, base = point.cell(method), point.cell(study.baseline)
        if mine is None or base is None:
            return None, f"not declared with {point.classes} classes"
        pairing = match(mine, base)
        if not pairing.paired:
            return None, f"not paired with {point.classes} classes"
        if len(pairing.seeds) < pairing.expected:
            return None, f"incomplete with {point.classes} classes"
        leads.append(pairing.a - pairing.b)
        seeds.add(pairing.seeds)
    if study.unknown or len(seeds) != 1:
        return None, "incomplete" if study.unknown else "other seeds at other numbers of classes"
    slopes = slope(np.array([p.classes for p in study.points], dtype=np.float64), np.array(leads))
    return paired_t(slopes, np.zeros_like(slopes)), ""


def slope(x: Floats, y: Floats) -> Floats:
    """Least-squares slope of each column of y (points, seeds) on x (points,)."""
    centred = x - x.mean()
    return np.asarray(centred @ y / (centred @ centred), dtype=np.float64)
