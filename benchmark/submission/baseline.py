"""Check of the baseline: it is there, and comes out as it does for us."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.same_bits import must_be_same
from nlbench.benchmark.submission.check import Check
from nlbench.benchmark.submission.places import Place
from nlbench.benchmark.submission.references import Ours
from nlbench.benchmark.submission.submitted import Submission
from nlbench.benchmark.suites.suite import Suite

# How often an archive of sound results is refused by chance, at most.
WRONGLY = 0.01
# Points that no mean is refused for: reports call differences below it practically equal.
SMALL = 0.5


@dataclass(frozen=True)
class Pair:
    """A run of the baseline, theirs and ours, and the accuracy of each in percent."""

    theirs: RunRecord
    ours: RunRecord
    rule: str

    @property
    def difference(self) -> float:
        """In points."""
        return _percent(self.theirs, self.rule) - self.reference

    @property
    def reference(self) -> float:
        """Our accuracy."""
        return _percent(self.ours, self.rule)

    @property
    def same(self) -> bool:
        """Whether both networks got the same test images right, after the same epochs."""
        one, other = self.theirs, self.ours
        test = [r.curves.get("test_accuracy") for r in (one, other)]
        return one.test_correct == other.test_correct and test[0] == test[1]

    @property
    def must_be_same(self) -> bool:
        """Whether both state that they were made by the same code on the same kind of GPU."""
        return must_be_same(self.theirs, self.ours)


def baseline(submission: Submission, suite: Suite, ours: Ours) -> Check:
    """The suite's baseline was run too, and its accuracies are ours within what chance explains."""
    name, rule = suite.baseline, suite.report.rule
    mine = submission.of(name)
    if not mine:
        line = (
            f"no run of {name}, the suite's baseline: it shows that this machine gives what ours"
            f" does, so it is run and sent with every method"
        )
        return Check("baseline", "", (line,))
    pairs = [
        Pair(record, ours.records[record.run_id], rule)
        for record in mine
        if record.run_id in ours.records
        and _has_value(record, rule)
        and _has_value(ours.records[record.run_id], rule)
    ]
    if not pairs:
        return Check("baseline", f"{name} is there; {ours.folder} has no run of it", compared=False)
    return _compared(name, pairs)


def _compared(name: str, pairs: Sequence[Pair]) -> Check:
    by_condition: dict[tuple[object, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        place = Place.of(pair.ours.spec)
        by_condition[place.group, place.noise].append(pair)
    means = [Means.of(found, len(by_condition)) for found in by_condition.values()]
    problems = [
        f"{pair.theirs.spec}: not our predictions, but commit, device and versions are the same"
        " and deterministic; the code was changed or the record edited"
        for pair in pairs
        if pair.must_be_same and not pair.same
    ]
    problems += [f"{name} on {mean}" for mean in means if abs(mean.difference) > mean.allowed]
    same = sum(pair.same for pair in pairs)
    words = (
        f"{name}: {len(pairs)} runs compared with ours, {same} with the same predictions; means"
        f" differ by at most {max(abs(mean.difference) for mean in means):.2f} points"
    )
    if alone := sum(math.isinf(mean.allowed) for mean in means):
        words += f" ({alone} conditions with one seed: no spread, so nothing is asked of them)"
    return Check("baseline", words, tuple(problems), alone < len(means) or same == len(pairs))


@dataclass(frozen=True)
class Means:
    """Mean accuracies of one condition, theirs and ours.

    Attributes:
        where: data set and noise.
        difference: theirs minus ours, points.
        allowed: how large it may be.
        seeds: how many there are.
    """

    where: str
    difference: float
    allowed: float
    seeds: int

    @classmethod
    def of(cls, pairs: Sequence[Pair], conditions: int) -> Means:
        """Those of one of so many conditions."""
        spec = pairs[0].ours.spec
        differences = [pair.difference for pair in pairs]
        allowed = tolerance(differences, [pair.reference for pair in pairs], conditions)
        where = f"{spec.dataset.group}, {spec.noise}"
        return cls(where, float(np.mean(differences)), allowed, len(pairs))

    def __str__(self) -> str:
        return (
            f"{self.where}: mean {self.difference:+.2f} points from ours over {self.seeds} seeds;"
            f" at most {self.allowed:.2f} could be another machine and chance"
        )


def tolerance(differences: Sequence[float], reference: Sequence[float], conditions: int) -> float:
    """How far a mean over seeds may be from ours; infinite with one seed.

    Two t tests, at WRONGLY together over all conditions, of which the stricter one counts: one of
    the differences seed by seed, which are small where both ran the same; one of two means whose
    seeds spread as ours do, which holds even where differences were made to spread.

    Args:
        differences: theirs minus ours, points, a value per seed.
        reference: ours.
        conditions: that are compared.
    """
    n = len(reference)
    if n < 2:
        return math.inf
    paired = float(np.std(differences, ddof=1)) / math.sqrt(n)
    spread = float(np.std(reference, ddof=1)) * math.sqrt(2 / n)
    quantile = float(stats.t.ppf(1 - WRONGLY / (4 * conditions), n - 1))
    return max(SMALL, quantile * min(paired, spread))


def _has_value(record: RunRecord, rule: str) -> bool:
    return record.status == "diverged" or record.metrics.get(rule) is not None


def _percent(record: RunRecord, rule: str) -> float:
    """Its accuracy; a diverged run counts with chance."""
    diverged = record.status == "diverged"
    return 100 * float(1 / record.noise["num_classes"] if diverged else record.metrics[rule])
