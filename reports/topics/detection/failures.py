"""Failure signatures: collapse, no effect, lost clean accuracy; found by their thresholds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.store import names
from nlbench.benchmark.store.record import CURVES
from nlbench.reports.compare.pairing import match
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.stats import Interval, PairedTest, mean_interval, paired_t
from nlbench.reports.text import interval, number
from nlbench.reports.topics.detection.find import Detection

Floats = NDArray[np.float64]
Curves = Mapping[str, NDArray[np.float32]]
CLEAN = "clean"

# The thresholds were set before any result of the studies that use them was looked at, but for the
# blind output: that name was added when the first results of suite `extreme` showed outputs with a
# quarter of the probability and no information, which "no effect" does not cover. Its bounds are
# those of "no effect".
COLLAPSE_MASS = 0.9
"""Extra-output collapse: its mean probability over a run's training samples above this, last epoch.

An output that took every mislabelled sample whole and nothing else would have a mean equal to the
noise rate, and no study here has a rate above 0.9. Above it the output must be taking rightly
labelled samples, and all classes together get less than a tenth of the probability.
"""

SILENT_MASS = 0.01
"""No effect, first half: mean probability over the flipped samples below this at the last epoch.

An untrained network with ten classes gives the output 1 / 11 = 0.09. Below a ninth of that it
has been driven out: it takes less than a hundredth of the samples that it is there for.
"""

SILENT_AUROC = (0.45, 0.55)
"""No effect, second half, and blind output: AUROC as a detector of flipped labels in here.

An output may be small and still separate flipped from clean samples, so both are required. With
2,000 flipped among 5,000 samples chance alone moves an AUROC by 0.008 (one standard error): the
bounds are six of those, wide enough that an output outside them orders samples to some effect.
"""

CLEAN_MARGIN = 0.5
"""Lost clean accuracy: points of test accuracy below the baseline, on clean labels and equal seeds.

The half width of the region of practical equivalence of every study that declares none of its own.
The 95 % Student interval of the paired difference must lie below 0 as well. It is a warning, not a
verdict: no correction for several methods is made.
"""

COLLAPSE, SILENT, BLIND = "extra-output collapse", "no effect", "blind output"
LOST = "lost clean accuracy"
NAMES = (COLLAPSE, SILENT, BLIND, LOST)
MEANING = {
    COLLAPSE: (
        f"mean mass of the extra output over the training samples above {COLLAPSE_MASS:g} at the"
        " last epoch"
    ),
    SILENT: (
        f"mean mass of the extra output over the flipped samples below {SILENT_MASS:g} at the last"
        f" epoch and AUROC of the mass between {SILENT_AUROC[0]:g} and {SILENT_AUROC[1]:g}"
    ),
    BLIND: (
        f"mean mass of the extra output over the flipped samples not below {SILENT_MASS:g} at the"
        f" last epoch and AUROC of the mass between {SILENT_AUROC[0]:g} and {SILENT_AUROC[1]:g}"
    ),
    LOST: (
        f"on clean labels more than {CLEAN_MARGIN:g} points of test accuracy below the baseline on"
        " the same seeds, the 95 % interval of the difference below 0"
    ),
}


@dataclass(frozen=True)
class Signature:
    """A method with an extra output in one condition, under the three questions.

    Attributes:
        block: index.
        method: label.
        condition: its names and rates.
        expected: declared seeds.
        mass: mean probability of the extra output over all training samples at the last epoch,
            fractions over seeds.
        mass_flipped: of those with a flipped label; empty on clean labels.
        auroc: of the mass as detector of flipped labels, 0 to 1; empty on clean labels.
        collapsed: seeds whose output takes almost all.
        silent: seeds whose output has no effect.
        blind: seeds whose output is large and not informative.
        lost: accuracy minus the baseline's in points on clean labels, ``None`` elsewhere or
            without a paired baseline.
        baseline: label of the baseline, "" where ``lost`` is ``None``.
    """

    block: int
    method: str
    condition: Condition
    expected: int
    mass: Interval
    mass_flipped: Interval
    auroc: Interval
    collapsed: int
    silent: int
    blind: int
    lost: PairedTest | None
    baseline: str

    @property
    def lost_accuracy(self) -> bool:
        """Whether clean accuracy was lost by more than the margin."""
        test = self.lost
        if test is None or test.estimate is None or test.high is None:
            return False
        return test.estimate < -CLEAN_MARGIN and test.high < 0

    @property
    def found(self) -> dict[str, str]:
        """Name of each signature that was found -> where and how much, in words."""
        seeds = f"of {self.mass.n} seeds" if self.mass.n != 1 else "of 1 seed"
        facts = {}
        if self.collapsed:
            mean = number(self.mass.mean)
            facts[COLLAPSE] = f"{self.collapsed} {seeds}, mean mass {mean}"
        if self.silent:
            flipped, area = number(self.mass_flipped.mean, 3), number(self.auroc.mean)
            facts[SILENT] = f"{self.silent} {seeds}, mean mass of flipped {flipped}, AUROC {area}"
        if self.blind:
            flipped, area = number(self.mass_flipped.mean, 3), number(self.auroc.mean)
            facts[BLIND] = f"{self.blind} {seeds}, mean mass of flipped {flipped}, AUROC {area}"
        if self.lost_accuracy and self.lost is not None:
            facts[LOST] = (
                f"{number(self.lost.estimate)} points to {self.baseline}"
                f"{interval(self.lost.low, self.lost.high, before=' ')}, n = {self.lost.n}"
            )
        return facts


def signatures(
    blocks: Sequence[Block],
    detections: Sequence[Detection],
    curves: Curves,
    baseline: Collection[str],
) -> tuple[Signature, ...]:
    """Every method with an extra output in every condition; empty where no record holds detection.

    Args:
        blocks: cells of accuracies.
        detections: of the same blocks, where there are any.
        curves: run id -> (len(CURVES), epochs) fractions.
        baseline: labels of the baseline method.
    """
    if not detections:
        return ()
    by_block = {detection.block.index: detection for detection in detections}
    return tuple(
        _signature(block, by_block.get(block.index), condition, cell, curves, baseline)
        for block in blocks
        for method in block.methods
        for condition in block.conditions
        if (cell := block.cells.get((method, condition.line))) is not None
        and any(_last(curves, run_id, names.MEAN_CLEAN) is not None for run_id in cell.run_ids)
    )


def _signature(
    block: Block,
    detection: Detection | None,
    condition: Condition,
    cell: Cell,
    curves: Curves,
    baseline: Collection[str],
) -> Signature:
    clean = condition.line == CLEAN
    share = {} if detection is None else detection.flipped
    found = [
        masses
        for run_id, status in zip(cell.run_ids, cell.status, strict=True)
        if status == "ok"
        and (masses := _masses(curves, run_id, 0.0 if clean else share.get(run_id))) is not None
    ]
    table = np.array(found, dtype=np.float64).reshape(-1, 2)
    areas = _areas(detection, cell)
    flipped = table[:, 1][~np.isnan(table[:, 1])]
    lost, against = _lost(block, cell, baseline) if clean else (None, "")
    return Signature(
        block=block.index,
        method=cell.method,
        condition=condition,
        expected=cell.expected,
        mass=mean_interval(table[:, 0]),
        mass_flipped=mean_interval(flipped),
        auroc=mean_interval(areas),
        collapsed=int((table[:, 0] > COLLAPSE_MASS).sum()),
        silent=_uninformative(flipped, areas, silent=True),
        blind=_uninformative(flipped, areas, silent=False),
        lost=lost,
        baseline=against,
    )


def _uninformative(flipped: Floats, areas: Floats, silent: bool) -> int:
    """Seeds whose mass is uninformative, little or not; both numbers come from the same runs."""
    if len(flipped) != len(areas):
        return 0
    low, high = SILENT_AUROC
    return int((((flipped < SILENT_MASS) == silent) & (areas >= low) & (areas <= high)).sum())


def _masses(curves: Curves, run_id: str, flipped: float | None) -> tuple[float, float] | None:
    """Mean mass over all training samples, and over the flipped ones (NaN on clean labels)."""
    of_clean = _last(curves, run_id, names.MEAN_CLEAN)
    if of_clean is None or flipped is None:
        return None
    if flipped == 0:
        return of_clean, float("nan")
    of_flipped = _last(curves, run_id, names.MEAN_FLIPPED)
    if of_flipped is None:
        return None
    return (1 - flipped) * of_clean + flipped * of_flipped, of_flipped


def _last(curves: Curves, run_id: str, name: str) -> float | None:
    """A curve's value at the last epoch."""
    found = curves.get(run_id)
    value = float("nan") if found is None else float(found[CURVES.index(name), -1])
    return None if np.isnan(value) else value


def _areas(detection: Detection | None, cell: Cell) -> Floats:
    place = (cell.method, cell.condition, names.PROBABILITY, "auroc")
    found = None if detection is None else detection.cells.get(place)
    if found is None:
        return np.empty(0, dtype=np.float64)
    return np.asarray(found.values[found.known] / 100, dtype=np.float64)


def _lost(block: Block, cell: Cell, baseline: Collection[str]) -> tuple[PairedTest | None, str]:
    """Accuracy minus the baseline's, if exactly one baseline is paired with the cell."""
    others = [
        c for label in baseline if (c := block.cells.get((label, cell.condition))) is not None
    ]
    if len(others) != 1 or cell.method in baseline:
        return None, ""
    pairing = match(cell, others[0])
    if not pairing.paired or not pairing.seeds:
        return None, ""
    return paired_t(pairing.a, pairing.b), others[0].method
