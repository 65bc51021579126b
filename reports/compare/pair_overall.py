"""Two methods over all conditions: on average over these, and in conditions at large."""

from __future__ import annotations

from dataclasses import dataclass

from nlbench.reports.compare.comparison import BETTER, WORSE
from nlbench.reports.stats import WILCOXON, Estimate, Rope, SeedMean, SignedRank
from nlbench.reports.text import interval, number, p_equals, plural

# Of a question that so few conditions cannot answer, whatever they show.
CANNOT = "cannot be decided"


@dataclass(frozen=True)
class PairOverall:
    """Method a against method b over conditions.

    Attributes:
        a: label.
        b: label.
        higher: conditions in which a has the higher mean.
        ties: conditions with equal means.
        lower: conditions in which a has the lower mean.
        better: conditions in which the paired test over seeds decides for a after correction.
        worse: conditions in which it decides for b.
        difference: first question: mean difference over these conditions (unit: seed).
        p_holm: its p after the correction: over the whole report for a declared pair, over the
            other pairs of the profile for an exploratory one.
        role: ``declared`` or ``exploratory``.
        words: ``better``, ``worse`` or ``undecided``, for the first question.
        signed_rank: second question: Wilcoxon test on condition means (unit: condition).
        p_conditions: its p after Holm over all pairs, ``None`` below six conditions.
        general: ``better``, ``worse``, ``undecided`` or CANNOT, for the second question.
        improvement: P(a > b) over paired seeds, with its interval.
        rope: Bayesian signed-rank probabilities for the study's region of equivalence.
    """

    a: str
    b: str
    higher: int
    ties: int
    lower: int
    better: int
    worse: int
    difference: SeedMean
    p_holm: float | None
    role: str
    words: str
    signed_rank: SignedRank
    p_conditions: float | None
    general: str
    improvement: Estimate
    rope: Rope | None

    @property
    def conditions(self) -> int:
        """How many conditions are compared."""
        return self.higher + self.ties + self.lower

    def sentence(self) -> str:
        """The answer to the first question."""
        d = self.difference
        if d.estimate is None or d.p is None:
            return (
                f"{self.a} and {self.b} are not compared on average over these conditions: no two"
                " paired seeds."
            )
        counts = f"higher mean in {self.higher} of {plural(self.conditions, 'condition')}"
        facts = (
            f"p_Holm {p_equals(self.p_holm)}, {d.test} over {plural(d.n, 'seed')}, {self.role};"
            f" {counts}"
        )
        place = "on average over these conditions"
        verb = {BETTER: "beats", WORSE: "is worse than"}.get(self.words)
        if verb is None:
            bounds = interval(d.low, d.high, before=" ")
            gap = f"difference {number(d.estimate, sign=True)} points{bounds}"
            return f"{self.a} and {self.b} are not distinguishable {place}: {gap} ({facts})."
        low, high = (d.low, d.high) if d.estimate > 0 else (_minus(d.high), _minus(d.low))
        gap = f"{number(abs(d.estimate))} points{interval(low, high, before=' ')}"
        return f"{self.a} {verb} {self.b} {place} by {gap} ({facts})."

    def general_sentence(self, size: int) -> str:
        """The answer to the second question; ``size`` is the number of pairs in the family."""
        n, floor = self.signed_rank.n, self.signed_rank.floor
        if self.general == CANNOT:
            return (
                f"{self.a} against {self.b} cannot be decided with"
                f" {plural(self.conditions, 'condition')}: no p_Holm below"
                f" {min(1.0, size * floor):.3g} ({WILCOXON.name} over conditions, {n} that differ,"
                f" family of {size})."
            )
        facts = f"p_Holm {p_equals(self.p_conditions)}, {WILCOXON.name} over conditions, n = {n}"
        verb = {BETTER: "beats", WORSE: "is worse than"}.get(self.general)
        if verb is None:
            return f"{self.a} and {self.b} are not distinguishable ({facts}, family of {size})."
        return f"{self.a} {verb} {self.b} ({facts}, family of {size})."


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
