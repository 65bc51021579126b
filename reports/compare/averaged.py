"""Means over conditions of paired differences, seeds as the unit, where runs may have collapsed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from nlbench.reports.compare.comparison import ALPHA
from nlbench.reports.compare.outcomes import (
    Outcomes,
    collapsed_at,
    direction,
    remaining,
    with_rates,
)
from nlbench.reports.compare.pairing import Pairing
from nlbench.reports.read.cells import Cell
from nlbench.reports.stats import PAIRED_T, Differences, SeedMean, SignificanceTest, seed_mean

Place = tuple[Pairing, Cell, Cell]


@dataclass(frozen=True)
class Averaged:
    """The mean difference over conditions.

    Attributes:
        mean: of the pairs in which no run of a mixed cell collapsed, with the p of both questions.
        outcomes: of all pairs, ``None`` without collapsed ones.
        used: of each condition, whether it is in the mean: one pair that remains has no spread.
    """

    mean: SeedMean
    outcomes: Outcomes | None
    used: tuple[bool, ...]

    @property
    def towards(self) -> int:
        """Whom a significant test is for, see :func:`direction`."""
        return direction(self.mean, self.outcomes, ALPHA)


def averaged(places: Sequence[Place], test: SignificanceTest = PAIRED_T) -> Averaged:
    """Test the mean over conditions, and the rates of collapse where runs collapsed.

    Args:
        places: for each condition the common seeds of two cells, and the cells.
        test: what decides.
    """
    outcomes = over_seeds(places)
    rest = [remaining(*place)[0] for place in places]
    used = tuple(outcomes is None or len(pairing.seeds) > 1 for pairing in rest)
    kept = [pairing for pairing, good in zip(rest, used, strict=True) if good]
    mean = seed_mean([Differences(p.seeds, p.a - p.b) for p in kept], test)
    if outcomes is not None:
        mean = with_rates(mean, outcomes, ALPHA)
    return Averaged(mean, outcomes, used)


def over_seeds(places: Sequence[Place]) -> Outcomes | None:
    """The outcomes of several conditions, seed by seed.

    Runs of one seed may collapse together in several conditions, so a seed is one outcome: it
    counts for the method of which more runs collapsed at it.

    Args:
        places: for each condition the common seeds of two cells, and the cells.

    Returns:
        ``None`` where no cell has both kinds of runs.
    """
    parts = [found for place in places if (found := remaining(*place)[1]) is not None]
    if not parts:
        return None
    more: dict[int, int] = defaultdict(int)
    gaps: dict[int, float] = defaultdict(float)
    total_a = total_b = 0
    for pairing, a, b in places:
        bad_a, bad_b = (collapsed_at(c, pairing.seeds).astype(int).tolist() for c in (a, b))
        total_a, total_b = total_a + sum(bad_a), total_b + sum(bad_b)
        differences = (pairing.a - pairing.b).tolist()
        for seed, one, other, gap in zip(pairing.seeds, bad_a, bad_b, differences, strict=True):
            more[seed] += one - other
            gaps[seed] += gap
    return Outcomes(
        n=sum(len(pairing.seeds) for pairing, _, _ in places),
        a=total_a,
        b=total_b,
        only_a=sum(count > 0 for count in more.values()),
        only_b=sum(count < 0 for count in more.values()),
        left_out=sum(found.left_out for found in parts),
        wins_a=sum(gap > 0 for gap in gaps.values()),
        wins_b=sum(gap < 0 for gap in gaps.values()),
    )
