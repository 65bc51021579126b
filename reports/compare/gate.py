"""Gate: one step of a declared claim, with its verdict in words."""

from __future__ import annotations

from dataclasses import dataclass

from nlbench.reports.compare.comparison import (
    ALPHA,
    BETTER,
    NOT_COMPARABLE,
    UNDECIDED,
    WORSE,
    Comparison,
)
from nlbench.reports.compare.outcomes import RATES, Outcomes
from nlbench.reports.stats import SeedMean
from nlbench.reports.text import number, p_equals, plural

ALL, DATA, NOISE, CONDITION = "all conditions", "data set", "noise type", "condition"
# (index of a block, noise line), a and b: where a comparison is.
Spot = tuple[int | None, str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One step of a claim: a against b on average over some conditions, seeds as the unit.

    Attributes:
        profile: regularisation profile.
        a: label of what is judged.
        b: label of what it is judged against.
        noise: what a declared hypothesis is about; "" for all conditions.
        depth: 1 for the first gate of the claim.
        level: ``all conditions``, ``data set``, ``noise type`` or ``condition``.
        where: the conditions in words, such as ``average over all 6 conditions``.
        places: (index of the block, noise line) of each condition.
        mean: the test of the mean difference.
        smallest_p: smallest p that the test can give.
        claims: declared comparisons of the report, which share its error rate.
        left_out: conditions that have no complete pairs, in words; not in the mean.
        outcomes: how many runs collapsed or diverged, ``None`` if none did; pairs with one of them
            are not in the mean.
        p_holm: p after the correction over the whole report, ``None`` where nothing was tested.
        towards: whom a significant test is for: 1 for a, -1 for b, 0 for neither.
        words: ``better``, ``worse``, ``undecided`` or ``not comparable: ...``.
        closed_by: ``where`` of the first gate above that is not decided; "" if all are.
        stands_at: ``depth`` of that gate, else of this one: where the verdict belongs.
    """

    profile: str
    a: str
    b: str
    noise: str
    depth: int
    level: str
    where: str
    places: tuple[tuple[int, str], ...]
    mean: SeedMean
    smallest_p: float
    claims: int
    towards: int
    left_out: tuple[str, ...] = ()
    outcomes: Outcomes | None = None
    p_holm: float | None = None
    words: str = UNDECIDED
    closed_by: str = ""
    stands_at: int = 1

    @property
    def decided(self) -> bool:
        """Whether the report decides which of the two is better here."""
        return self.words in (BETTER, WORSE)

    @property
    def undecidable(self) -> bool:
        """Whether so few seeds can decide nothing here, whatever they show."""
        return min(1.0, self.claims * self.smallest_p) >= ALPHA

    def sentence(self) -> str:
        """The verdict in one sentence, with the gate at which it is decided."""
        what, gate = f"on {self.where}", f"gate {self.stands_at}"
        estimate = self.mean.estimate
        if self.mean.test == RATES and not self.closed_by:
            return self._of_rates(what, gate)
        if estimate is None or self.words.startswith(NOT_COMPARABLE):
            reason = self.words.split(": ", 1)[-1]
            return f"{self.a} and {self.b} are not compared {what}: {reason} ({gate})."
        if self.decided:
            verb = "beats" if self.words == BETTER else "is worse than"
            gap = f"{number(abs(estimate))} points{self._interval(flip=estimate < 0)}"
            return (
                f"{self.a} {verb} {self.b} {what} by {gap}, {self._facts()} ({gate}).{self._rest}"
            )
        gap = f"difference {number(estimate, sign=True)} points{self._interval()}"
        if self.closed_by:
            return (
                f"{self.a} against {self.b} {what}: {gap}, no verdict, because the"
                f" {self.closed_by} comes first and is undecided ({gate}).{self._rest}"
            )
        if self.undecidable:
            return (
                f"{self.a} against {self.b} {what} cannot be decided with"
                f" {plural(self.mean.n, 'seed')}: {gap}, {self._facts()} ({gate}).{self._rest}"
            )
        return (
            f"{self.a} and {self.b} are not distinguishable {what}: {gap}, {self._facts()}"
            f" ({gate}).{self._rest}"
        )

    def _of_rates(self, what: str, gate: str) -> str:
        """The verdict where it is the rates of collapse that the smaller p is of."""
        verdict = f"{self.a} and {self.b} are not distinguishable"
        if self.decided:
            verdict = f"{self.a} {'beats' if self.words == BETTER else 'is worse than'} {self.b}"
        gap = number(self.mean.estimate, sign=True)
        return (
            f"{verdict} {what}, by how often they collapse: p_Holm {p_equals(self.p_holm)}; the"
            f" difference of the other pairs is {gap} points{self._interval()} ({gate})."
            f"{self._rest}"
        )

    def _facts(self) -> str:
        test = f"{self.mean.test} over {plural(self.mean.n, 'seed')}"
        return f"p_Holm {p_equals(self.p_holm)}, {test}"

    def _interval(self, flip: bool = False) -> str:
        low, high = self.mean.low, self.mean.high
        if low is None or high is None:
            return ""
        return f" [{number(-high if flip else low)}, {number(-low if flip else high)}]"

    @property
    def _rest(self) -> str:
        """What is not in the mean, as further sentences."""
        words = (
            f" Not in the mean, incomplete: {', '.join(self.left_out)}." if self.left_out else ""
        )
        if self.outcomes is not None:
            words += f" {self.outcomes.sentence(self.a, self.b, 'pair')}."
        return words


def spot(comparison: Comparison) -> Spot:
    """Where a comparison is, whichever way round it is."""
    return comparison.block, comparison.condition, frozenset((comparison.a, comparison.b))
