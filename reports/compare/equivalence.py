"""Two stores of the same runs: are they equivalent, method by method?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.same_bits import alike, must_be_same
from nlbench.reports.errors import ReportError, unknown
from nlbench.reports.read.fields import RULES, accuracy_percent
from nlbench.reports.read.names import method_labels
from nlbench.reports.stats import Equivalence, tost
from nlbench.reports.text import number, p_value, plural

# What may differ between the two sides, and is reported.
SIDES = ("device", "backend", "slots", "compiled", "deterministic", "threads", "torch", "commit")


@dataclass(frozen=True)
class Row:
    """One method in one condition, its seeds paired over the two sides.

    Attributes:
        setting: data set, network, profile and noise line.
        method: label.
        mean_a: mean accuracy in percent of the paired seeds on side A; ``None`` without a pair.
        mean_b: the same on side B.
        identical: pairs whose two records are the same to the last bit.
        diverged: runs that count with the accuracy of chance, of both sides together.
        test: of the differences A - B in points.
    """

    setting: str
    method: str
    mean_a: float | None
    mean_b: float | None
    identical: int
    diverged: int
    test: Equivalence

    @property
    def words(self) -> str:
        """``equivalent``, or ``not shown``, and a note on the seeds."""
        words = "equivalent" if self.test.equivalent else "not shown"
        words += f" by {plural(self.test.n, 'seed')}" if self.test.test == "none" else ""
        words += ", the same bits" if self.identical == self.test.n else ""
        return words + (f", {self.diverged} diverged" if self.diverged else "")


@dataclass(frozen=True)
class StoreComparison:
    """What the comparison of two stores came to.

    Attributes:
        rows: in the order in which settings and methods were first met.
        notes: runs of one side only, runs left out, and what differs between the sides; a line
            each.
        bound: half width of the region of equivalence in points of accuracy.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    bound: float

    @property
    def equivalent(self) -> bool:
        """Whether equivalence has been shown in every row: the claim for all needs each one."""
        return bool(self.rows) and all(row.test.equivalent for row in self.rows)


def compare_stores(
    a: Iterable[RunRecord],
    b: Iterable[RunRecord],
    bound: float,
    rule: str = "last",
    alpha: float = 0.05,
) -> StoreComparison:
    """Pair the runs of two stores by run id and test each method's mean difference.

    No correction for several rows: for all to be equivalent each has to be shown at
    ``alpha``, and that claim is wrong with probability ``alpha`` at most (intersection-union test).

    Args:
        a: records of one side, for example strict mode.
        b: of the other, for example fast mode.
        bound: in points of accuracy, > 0; to be stated before looking.
        rule: which accuracy, one of RULES.
        alpha: level of each test.

    Raises:
        ReportError: an unknown rule, a bound or level out of range, or no run on both sides.
    """
    if rule not in RULES:
        raise unknown("accuracy rule", rule, RULES)
    if not (bound > 0 and 0 < alpha < 0.5):
        raise ReportError(f"bound {bound} must be above 0 points, alpha {alpha} in (0, 0.5)")
    sides = [{record.run_id: record for record in side} for side in (a, b)]
    both = [run_id for run_id in sides[0] if run_id in sides[1]]
    if not both:
        raise ReportError(
            f"no run has a record on both sides (A has {len(sides[0])}, B has {len(sides[1])})"
        )
    pairs, left_out = _sound([(sides[0][i], sides[1][i]) for i in both], rule)
    notes = [
        f"{len(side) - len(both)} runs have a record on side {name} only"
        for name, side in zip("AB", sides, strict=True)
        if len(side) > len(both)
    ]
    return StoreComparison(
        _rows(pairs, bound, rule, alpha),
        (*notes, *left_out, *_sides(pairs), *_bits(pairs)),
        bound,
    )


def equivalence_rows(comparison: StoreComparison) -> list[dict[str, str]]:
    """The comparison as rows of a table, numbers as they are read."""
    return [
        {
            "setting": row.setting,
            "method": row.method,
            "seeds": str(row.test.n),
            "A": number(row.mean_a),
            "B": number(row.mean_b),
            "A − B": number(row.test.estimate, 3, sign=True),
            f"{100 * (1 - 2 * row.test.alpha):g} % interval": _interval(row.test),
            "p": p_value(row.test.p),
            f"within ±{comparison.bound:g}": row.words,
        }
        for row in comparison.rows
    ]


Pair = tuple[RunRecord, RunRecord]
# Runs that are named where bits differ that should not.
NAMED = 5


def _bits(pairs: list[Pair]) -> list[str]:
    """Of which runs the same bits are expected, and which differ nevertheless."""
    notes = []
    for words, expects in (
        ("are expected of {} (same code, GPUs of the same name)", must_be_same),
        ("are likely of {} (same code, CPUs of the same name)", _on_cpus_alike),
    ):
        mine = [pair for pair in pairs if expects(*pair)]
        differ = [one.run_id for one, other in mine if one.science() != other.science()]
        if mine:
            named = f": {', '.join(differ[:NAMED])}{', ...' if len(differ) > NAMED else ''}"
            runs = words.format(plural(len(mine), "run"))
            notes.append(
                f"the same bits {runs}; {len(differ)} without them{named if differ else ''}"
            )
    return notes


def _on_cpus_alike(one: RunRecord, other: RunRecord) -> bool:
    return alike(one, other) and not must_be_same(one, other)


def _sound(pairs: list[Pair], rule: str) -> tuple[list[Pair], list[str]]:
    """The pairs with an accuracy on both sides and the same inputs, and a line for the others."""
    kept, failed, unlike = [], 0, 0
    for pair in pairs:
        if any(accuracy_percent(record, rule) is None for record in pair):
            failed += 1
        elif pair[0].pairing != pair[1].pairing:
            unlike += 1
        else:
            kept.append(pair)
    notes = []
    if failed:
        notes.append(f"{failed} runs have no accuracy {rule!r} on one side and were left out")
    if unlike:
        notes.append(
            f"{unlike} runs were not trained on the same data, labels, weights and batches on both"
            " sides and were left out"
        )
    return kept, notes


def _rows(pairs: list[Pair], bound: float, rule: str, alpha: float) -> tuple[Row, ...]:
    cells: dict[RunSpec, list[Pair]] = defaultdict(list)
    for pair in pairs:
        cells[replace(pair[0].spec, seed=0)].append(pair)
    labels = method_labels(list(cells))
    rows = []
    for (spec, found), label in zip(cells.items(), labels, strict=True):
        values = np.array([[accuracy_percent(r, rule) for r in pair] for pair in found], np.float64)
        data = spec.dataset.name
        rows.append(
            Row(
                setting=f"{data} {spec.model} {spec.profile} {spec.noise}",
                method=label,
                mean_a=float(values[:, 0].mean()),
                mean_b=float(values[:, 1].mean()),
                identical=sum(one.science() == two.science() for one, two in found),
                diverged=sum(r.status == "diverged" for pair in found for r in pair),
                test=tost(values[:, 0], values[:, 1], bound, alpha),
            )
        )
    return tuple(rows)


def _sides(pairs: list[Pair]) -> list[str]:
    """What differs between the sides, from the records' environments."""
    lines = []
    for name in SIDES:
        seen = [_seen([pair[side].environment for pair in pairs], name) for side in (0, 1)]
        if seen[0] != seen[1]:
            lines.append(f"{name}: A {seen[0]}; B {seen[1]}")
    return lines


def _seen(environments: Iterable[Mapping[str, object]], name: str) -> str:
    return ", ".join(sorted({str(e.get(name, "not recorded")) for e in environments}))


def _interval(test: Equivalence) -> str:
    if test.low is None:
        return number(None)
    return f"[{number(test.low, 3, sign=True)}, {number(test.high, 3, sign=True)}]"
