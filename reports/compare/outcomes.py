"""Collapse and divergence as outcomes: which pairs of runs remain, and how the rates are tested.

A method of which some runs, not all, end at chance level has two kinds of runs, and a mean over
both describes neither. So the rates of collapse are compared by an exact test, the remaining pairs
by the test of the suite, and the sentence names how many seeds were left out. A method whose every
run is at chance has one kind of runs: it is compared as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.pairing import Pairing
from nlbench.reports.read.cells import Cell
from nlbench.reports.stats import PairedTest, SeedMean, mcnemar, smallest_p
from nlbench.reports.text import p_equals, plural

RATES = "exact McNemar"
Rest = TypeVar("Rest", PairedTest, SeedMean)


@dataclass(frozen=True)
class Outcomes:
    """How many of the paired runs of a and b collapsed or diverged.

    Attributes:
        n: pairs of runs.
        a: runs of a that collapsed; diverged ones are among them.
        b: runs of b that collapsed.
        only_a: seeds at which a collapsed and b did not.
        only_b: seeds at which b collapsed and a did not.
        left_out: seeds that are not in the comparison of the rest.
        wins_a: seeds at which a has the higher value, a collapsed run counting as the lower one.
        wins_b: the same of b.
    """

    n: int
    a: int
    b: int
    only_a: int
    only_b: int
    left_out: int
    wins_a: int
    wins_b: int

    @property
    def p(self) -> float:
        """Two-sided exact p of equal rates."""
        return mcnemar(self.only_a, self.only_b)

    @property
    def smallest(self) -> float:
        """Smallest p that so many seeds with one collapsed run could give."""
        return min(1.0, smallest_p(self.only_a + self.only_b))

    def sentence(self, a: str, b: str, unit: str) -> str:
        """The rates, their test and the number left out, to follow a semicolon."""
        return (
            f"{a} collapsed in {self.a} and {b} in {self.b} of {plural(self.n, 'run')} ({RATES}, p"
            f" {p_equals(self.p)}), so {plural(self.left_out, unit)} left out"
        )


def remaining(pairing: Pairing, a: Cell, b: Cell) -> tuple[Pairing, Outcomes | None]:
    """The pairs in which no run of a mixed cell collapsed, and the outcomes of all pairs.

    Args:
        pairing: the common seeds of the two cells.
        a: the first cell.
        b: the second.

    Returns:
        The pairing itself and ``None`` where neither cell has both kinds of runs.
    """
    if not (a.mixed or b.mixed):
        return pairing, None
    bad_a, bad_b = collapsed_at(a, pairing.seeds), collapsed_at(b, pairing.seeds)
    out = (bad_a & a.mixed) | (bad_b & b.mixed)
    signs = np.where(bad_a == bad_b, np.sign(pairing.a - pairing.b), np.where(bad_a, -1, 1))
    signs[bad_a & bad_b] = 0
    found = Outcomes(
        n=len(pairing.seeds),
        a=int(bad_a.sum()),
        b=int(bad_b.sum()),
        only_a=int((bad_a & ~bad_b).sum()),
        only_b=int((bad_b & ~bad_a).sum()),
        left_out=int(out.sum()),
        wins_a=int((signs > 0).sum()),
        wins_b=int((signs < 0).sum()),
    )
    seeds = tuple(s for s, gone in zip(pairing.seeds, out.tolist(), strict=True) if not gone)
    return replace(pairing, seeds=seeds, a=pairing.a[~out], b=pairing.b[~out]), found


def collapsed_at(cell: Cell, seeds: tuple[int, ...]) -> NDArray[np.bool_]:
    """At which of these seeds the cell's run collapsed or diverged."""
    if cell.seeds == seeds:
        return cell.collapsed
    at = {seed: i for i, seed in enumerate(cell.seeds)}
    return cell.collapsed[[at[seed] for seed in seeds]]


def with_rates(rest: Rest, outcomes: Outcomes, alpha: float) -> Rest:
    """The test of the rest with the p of both questions, and the name of the test that gave it.

    Two tests may each call the methods different, so the smaller p is doubled. With so few seeds
    that the exact test of the rates could not have decided whatever they show, it is no second
    chance, and the p of the rest is kept. Both hold given at which seeds one run or both collapsed,
    which shows nothing about which is better if the two methods are equal.

    Args:
        rest: of the remaining pairs; ``p`` is ``None`` where there are too few to test.
        outcomes: of all pairs.
        alpha: the level.
    """
    if rest.p is None:
        return replace(rest, p=outcomes.p, test=RATES)
    if outcomes.smallest >= alpha:
        return rest
    if outcomes.p < rest.p:
        return replace(rest, p=min(1.0, 2 * outcomes.p), test=RATES)
    return replace(rest, p=min(1.0, 2 * rest.p))


def direction(test: PairedTest | SeedMean, outcomes: Outcomes | None, alpha: float) -> int:
    """Whom a significant test is for: 1 for a, -1 for b, 0 for neither.

    Neither: where fewer seeds are for the one who is better in the rest, collapsed runs counting
    as lost, or where rates and rest are significant in opposite directions. Cells that collapse
    are accuracies, of which the higher is better.

    Args:
        test: as :func:`with_rates` gave it.
        outcomes: of all pairs, ``None`` without collapsed ones.
        alpha: the level.
    """
    rest = int(np.sign(test.estimate or 0.0))
    if outcomes is None:
        return rest
    rates = int(np.sign(outcomes.only_b - outcomes.only_a))
    if test.test == RATES:
        against = test.low is not None and test.high is not None and test.low * test.high > 0
        return 0 if against and rest == -rates else rates
    if outcomes.p < alpha and rates == -rest:
        return 0
    lost = rest * (outcomes.wins_a - outcomes.wins_b) < 0
    return 0 if lost else rest
