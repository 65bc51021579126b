"""Who rejects better than whom, and whom label noise hurts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from nlbench.reports.compare.comparison import BETTER, Comparison
from nlbench.reports.compare.engine import Pair, paired_comparisons
from nlbench.reports.compare.ranking import Best, best_of
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Cell
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import PAIRED_T, SignificanceTest
from nlbench.reports.text import number
from nlbench.reports.topics.open_set.find import METRICS, Protocol, protocols

METRIC = "auroc"
CLEAN = "clean"
# What noisy and clean runs of one seed cannot share.
LABELS = frozenset({"labels"})


@dataclass(frozen=True)
class Verdicts:
    """The comparisons of one protocol, a family each; all in AUROC of the declared scores.

    Attributes:
        baseline: every method against the baseline, over the noise conditions: for the sentences.
        energy: the extra output of every method with one against the baseline's energy, the
            score of a network without one that it resembles most: p_d is the logistic function
            of the extra logit minus the log-sum-exp of the class logits, and that is what the
            energy is, too.
        pairs: all pairs of methods, over the noise conditions: for bold print.
        noise: every method's noisy runs against its own clean ones.
        whose: every method's change by noise against the baseline's.
    """

    baseline: tuple[Comparison, ...]
    energy: tuple[Comparison, ...]
    pairs: tuple[Comparison, ...]
    noise: tuple[Comparison, ...]
    whose: tuple[Comparison, ...]

    def best(self, protocol: Protocol, line: str) -> Best:
        """The best set of the declared scores."""
        cells = [c for m in protocol.methods if (c := protocol.cell(m, line)) is not None]
        return best_of(cells, [c for c in self.pairs if c.condition == line])


Found = Sequence[tuple[Protocol, Verdicts]]


def search(results: Results) -> Found:
    """The blocks with open-set scores, and the comparisons of each."""
    there = protocols(results.blocks, results.frame.evaluations)
    return [(protocol, verdicts(protocol, results.baseline, results.test)) for protocol in there]


def verdicts(
    protocol: Protocol, baseline: Collection[str], test: SignificanceTest = PAIRED_T
) -> Verdicts:
    """All comparisons of a protocol; a family that needs what is not there is empty."""
    title, unit, metric = protocol.block.title, protocol.unit, METRICS[METRIC]
    return Verdicts(
        baseline=paired_comparisons(
            list(_against(protocol, baseline)),
            metric=metric,
            family=f"{title}: declared scores against the baseline's",
            unit=unit,
            test=test,
        ),
        energy=paired_comparisons(
            list(_against_energy(protocol, baseline)),
            metric=metric,
            family=f"{title}: extra output against the baseline's energy",
            unit=unit,
            test=test,
        ),
        pairs=paired_comparisons(
            list(_all_pairs(protocol, baseline)),
            metric=metric,
            family=f"{title}: all pairs of declared scores",
            unit=unit,
            test=test,
        ),
        noise=paired_comparisons(
            list(_noisy_to_clean(protocol)),
            metric=metric,
            family=f"{title}: noisy against clean training labels",
            unit=unit,
            test=test,
        ),
        whose=paired_comparisons(
            list(_changes(protocol, baseline)),
            metric=f"change of {metric}",
            family=f"{title}: change by noise against the baseline's change",
            unit=unit,
            test=test,
        ),
    )


def noise_sentence(comparison: Comparison) -> str:
    """What noisy training labels did to a method's rejection."""
    label, where = comparison.b, pretty_condition(comparison.condition)
    if not comparison.comparable:
        return f"{label}: {where} and clean are not compared: {comparison.obstacle()}."
    change = f"{number(comparison.estimate, sign=True)} points of {comparison.metric}"
    if not comparison.decided:
        return (
            f"{label}: no change by {where} that could be told: {change}"
            f"{comparison.interval()}, {comparison.facts()}."
        )
    verb = "helps" if comparison.words == BETTER else "hurts"
    return f"{label}: {where} {verb} rejection, {change}{comparison.interval()}, " + (
        f"{comparison.facts()}."
    )


def whose_sentence(comparison: Comparison) -> str:
    """Whether noise hurts one method's rejection more than another's."""
    where = pretty_condition(comparison.condition)
    pair = f"{comparison.a} and {comparison.b}"
    if not comparison.comparable:
        return f"{pair}: their changes by {where} are not compared: {comparison.obstacle()}."
    changes = (
        f"{number(comparison.mean_a, sign=True)} against {number(comparison.mean_b, sign=True)}"
        f" points, difference {number(comparison.estimate, sign=True)}{comparison.interval()},"
        f" {comparison.facts()}."
    )
    if not comparison.decided:
        return f"{pair}: whom {where} hurts more cannot be told: {changes}"
    less = comparison.words == BETTER
    more = comparison.b if less else comparison.a
    other = comparison.a if less else comparison.b
    return f"{where[:1].upper()}{where[1:]} does more harm to {more} than to {other}: {changes}"


def _against(protocol: Protocol, baseline: Collection[str]) -> Iterator[Pair]:
    for condition in protocol.conditions:
        for first in protocol.methods:
            for other in protocol.methods:
                if other in baseline and first not in baseline:
                    a, b = (protocol.cell(m, condition.line) for m in (first, other))
                    if a is not None and b is not None:
                        yield Pair(a, b)


def _against_energy(protocol: Protocol, baseline: Collection[str]) -> Iterator[Pair]:
    for condition in protocol.conditions:
        for first in filter(protocol.has_extra_output, protocol.methods):
            for other in protocol.methods:
                mass = protocol.cell(first, condition.line)
                energy = protocol.cell(other, condition.line, "energy")
                if other in baseline and mass is not None and energy is not None:
                    yield Pair(mass, energy)


def _all_pairs(protocol: Protocol, baseline: Collection[str]) -> Iterator[Pair]:
    order = sorted(protocol.methods, key=lambda method: method not in baseline)
    for condition in protocol.conditions:
        cells = [c for m in order if (c := protocol.cell(m, condition.line)) is not None]
        for earlier, later in combinations(cells, 2):
            yield Pair(later, earlier)


def _noisy_to_clean(protocol: Protocol) -> Iterator[Pair]:
    for condition in protocol.conditions:
        for method in protocol.methods:
            noisy, clean = (protocol.cell(method, line) for line in (condition.line, CLEAN))
            if condition.line != CLEAN and noisy is not None and clean is not None:
                yield Pair(noisy, clean, LABELS)


def _changes(protocol: Protocol, baseline: Collection[str]) -> Iterator[Pair]:
    for condition in protocol.conditions:
        changes = {
            method: found
            for method in protocol.methods
            if (found := change(protocol, method, condition.line)) is not None
        }
        for first in changes:
            for other in changes:
                if other in baseline and first not in baseline:
                    yield Pair(changes[first], changes[other])


def change(protocol: Protocol, method: str, line: str) -> Cell | None:
    """The method's noisy cell with noisy minus clean as values, seed by seed."""
    noisy, clean = protocol.cell(method, line), protocol.cell(method, CLEAN)
    if line == CLEAN or noisy is None or clean is None:
        return None
    before = dict(zip(clean.seeds, clean.values, strict=True))
    values = [v - before.get(s, np.nan) for s, v in zip(noisy.seeds, noisy.values, strict=True)]
    return replace(noisy, values=np.array(values, dtype=np.float64))
