"""Paired comparisons of any measure, with Holm over a declared family, and the words for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nlbench.reports.compare.pairing import Pairing, match
from nlbench.reports.compare.verdict import ALPHA, BETTER, NOT_COMPARABLE, UNDECIDED, WORSE, Judged
from nlbench.reports.read.cells import Cell
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import PairedTest, holm, minimum_detectable_effect, paired_t, sign_flips
from nlbench.reports.text import number, p_equals, plural


@dataclass(frozen=True)
class Pair:
    """Two cells to compare.

    Attributes:
        a: the cell that is judged.
        b: the cell it is judged against.
        free: fingerprints that differ on purpose, e.g. ``labels`` between noisy and clean.
    """

    a: Cell
    b: Cell
    free: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Comparison(Judged):
    """a against b over replicates; differences are a - b in points of the measure.

    Attributes:
        metric: what is compared.
        condition: noise line of a.
        a: label.
        b: label.
        unit: what a replicate is, singular: ``class split`` or ``seed``.
        n: replicates that both have.
        expected_n: declared for both.
        mean_a: percent, over the common replicates.
        mean_b: the same of b.
        estimate: mean paired difference.
        sd: of the differences (n - 1).
        ci_low: lower bound of the 95 % Student interval.
        ci_high: its upper bound.
        test: ``paired t``, ``exact sign-flip``, ``identical`` or ``none``.
        p: two-sided, ``None`` where not tested.
        p_sign_flip: exact two-sided sign-flip p.
        p_holm: after Holm over the family.
        family: the family's name.
        family_size: its declared number of comparisons.
        mde: smallest true difference found with 80 % power at Holm's first step, at this spread.
        words: ``better``, ``worse``, ``undecided`` or ``not comparable: ...``.
    """

    metric: str
    condition: str
    a: str
    b: str
    unit: str
    n: int
    expected_n: int
    mean_a: float | None
    mean_b: float | None
    estimate: float | None
    sd: float | None
    ci_low: float | None
    ci_high: float | None
    test: str
    p: float | None
    p_sign_flip: float | None
    p_holm: float | None
    family: str
    family_size: int
    mde: float | None
    words: str

    def sentence(self) -> str:
        """The comparison as one sentence that can be quoted."""
        where = pretty_condition(self.condition)
        if not self.comparable:
            return f"{self.a} and {self.b} are not compared on {where}: {self.obstacle()}."
        if self.test == "identical":
            return f"{self.a} and {self.b} have the same {self.metric} on {where} every time."
        if not self.decided:
            return (
                f"{self.a} and {self.b} are not distinguishable on {where}: difference"
                f" {number(self.estimate, sign=True)} points of {self.metric}{self.interval()},"
                f" {self.facts()}."
            )
        better = self.words == BETTER
        verb = "beats" if better else "is worse than"
        return (
            f"{self.a} {verb} {self.b} on {where} by {number(abs(self.estimate or 0.0))} points of"
            f" {self.metric}{self.interval(flip=not better)}, {self.facts()}."
        )

    def facts(self) -> str:
        """Corrected p, test, sample, family and what would have been missed."""
        size = self.family_size
        family = "no correction" if size == 1 else f"family of {size}"
        text = f"p_Holm {p_equals(self.p_holm)} ({self.test}, n = {self.sample()}, {family})"
        if self.mde is None:
            return text
        return f"{text}; true differences under {number(self.mde)} points would often be missed"

    def obstacle(self) -> str:
        """Why nothing was tested, with what there is so far."""
        if self.estimate is None:
            return self.reason
        so_far = f"{number(self.estimate, sign=True)} points{self.interval()}"
        return f"{self.reason}; so far {so_far}, n = {self.sample()}"

    def sample(self) -> str:
        """``5 class splits``."""
        return plural(self.n, self.unit)


def compare(
    pairs: Sequence[Pair], *, metric: str, family: str, unit: str
) -> tuple[Comparison, ...]:
    """Compare every pair, corrected by Holm over all of them, tested or not.

    Args:
        pairs: the declared family; a pair without data still counts in it.
        metric: name of the measure, higher is better; cells hold it in percent.
        family: name of the family.
        unit: what a replicate is, singular.
    """
    found = [_one(pair) for pair in pairs]
    raw = np.array([np.nan if test.p is None else test.p for _, test, _ in found])
    # Together: the drawn sign patterns are then applied to all differences at once.
    flips = iter(sign_flips([paired.a - paired.b for paired, _, obstacle in found if not obstacle]))
    size = len(pairs)
    return tuple(
        _comparison(
            pair, outcome, None if outcome[2] else next(flips), float(p), metric, family, size, unit
        )
        for pair, outcome, p in zip(pairs, found, holm(raw), strict=True)
    )


def indistinct(cells: Sequence[Cell], comparisons: Sequence[Comparison]) -> frozenset[str]:
    """Labels of the best cell and of those that no comparison with it decides: the bold ones.

    The rule of the accuracy table (compare/ranking.py): only whole, tested cells take part.

    Args:
        cells: of one condition.
        comparisons: of all their pairs in this condition.
    """
    tested = {label for c in comparisons if c.comparable for label in (c.a, c.b)}
    whole = [cell for cell in cells if cell.method in tested and cell.complete]
    if not whole:
        return frozenset()
    leader = max(whole, key=lambda cell: round(cell.summary.mean or 0.0, 9)).method
    ties = {c.a if c.b == leader else c.b for c in _of(leader, comparisons) if not c.decided}
    return frozenset({leader, *ties})


def _of(label: str, comparisons: Sequence[Comparison]) -> Iterator[Comparison]:
    return (c for c in comparisons if c.comparable and label in (c.a, c.b))


def _one(pair: Pair) -> tuple[Pairing, PairedTest, str]:
    """Common replicates, the test, and why it must not be made (empty if it may)."""
    pairing = match(pair.a, pair.b)
    test = paired_t(pairing.a, pairing.b)
    broken = {k: v for k, v in pairing.broken.items() if k not in pair.free}
    n, expected = len(pairing.seeds), pairing.expected
    obstacle = ""
    if expected == 0:
        obstacle = "they share no seeds"
    elif broken:
        obstacle = f"not paired ({', '.join(broken)} differ)"
    elif n < expected:
        obstacle = f"incomplete ({n} of {plural(expected, 'seed')})"
    elif n == 1:
        obstacle = "one seed has no spread to test against"
    if not obstacle:
        return pairing, test, ""
    # The estimate stays, as what there is so far.
    shown = None if broken else test.low, None if broken else test.high
    untested = PairedTest(n, test.estimate, test.sd, *shown, None, None, "none", None, None)
    return pairing, untested, obstacle


def _comparison(
    pair: Pair,
    outcome: tuple[Pairing, PairedTest, str],
    p_sign_flip: float | None,
    p_holm: float,
    metric: str,
    family: str,
    size: int,
    unit: str,
) -> Comparison:
    pairing, test, obstacle = outcome
    tested, n = not obstacle, len(pairing.seeds)
    words = f"{NOT_COMPARABLE}: {obstacle}" if obstacle else UNDECIDED
    if tested and p_holm < ALPHA:
        words = BETTER if (test.estimate or 0.0) > 0 else WORSE
    effect = minimum_detectable_effect(n, ALPHA / size) if test.test == "paired t" else None
    return Comparison(
        metric=metric,
        condition=pair.a.condition,
        a=pair.a.method,
        b=pair.b.method,
        unit=unit,
        n=n,
        expected_n=pairing.expected,
        mean_a=float(np.mean(pairing.a)) if n else None,
        mean_b=float(np.mean(pairing.b)) if n else None,
        estimate=test.estimate,
        sd=test.sd,
        ci_low=test.low,
        ci_high=test.high,
        test=test.test,
        p=test.p,
        p_sign_flip=p_sign_flip,
        p_holm=None if np.isnan(p_holm) else p_holm,
        family=family,
        family_size=size,
        mde=None if effect is None or test.sd is None else effect * test.sd,
        words=words,
    )
