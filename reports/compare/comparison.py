"""Comparison: one method against another, with all that a reader needs to judge it, in words."""

from __future__ import annotations

from dataclasses import dataclass

from nlbench.reports.compare.outcomes import RATES, Outcomes
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import Rope
from nlbench.reports.text import number, p_equals, plural

ALPHA = 0.05
BETTER, WORSE, UNDECIDED = "better", "worse", "undecided"
NOT_COMPARABLE = "not comparable"
# What a comparison of accuracies is to its report.
DECLARED, EXPLORATORY = "declared", "exploratory"
# The measure of a whole report: sentences need not name it.
ACCURACY = "accuracy"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """a against b in one condition over replicates; differences are a - b in points.

    What n or the data do not allow is ``None``. Renderers format this; none of them computes.

    Attributes:
        block: index of the block (data set, network, profile) that both are in, if known.
        metric: what is compared.
        condition: noise line of a.
        noise_type: the line without its rate.
        nominal_rate: nominal noise rate, ``None`` if unknown.
        a: label of what is judged.
        b: label of what it is judged against.
        unit: what a replicate is, singular: ``seed`` or ``class split``.
        n: replicates that both have a value of.
        expected_n: those declared for both.
        mean_a: mean of a over the common replicates, percent.
        mean_b: the same of b.
        estimate: mean paired difference.
        sd: standard deviation of the differences (n - 1).
        ci_low: lower bound of the 95 % Student interval.
        ci_high: its upper bound.
        test: name of the test that gave p (stats/significance.py, stats/paired.py).
        t: t statistic, whichever test decides.
        p: two-sided p; ``None`` where the cells are not comparable.
        p_sign_flip: exact two-sided sign-flip p, which assumes no distribution.
        p_holm: p after Holm over the family.
        smallest_p: smallest p that the test can give with n differences.
        family: the family's name.
        family_size: its declared number of comparisons.
        d_z: estimate / sd.
        hedges: d_z with the small-sample correction.
        rho: correlation of the residuals of a and b over the replicates.
        mde: planned: smallest true difference found with 80 % power at Holm's first step, for the
            standard deviation that the suite assumed beforehand; ``None`` if it assumed none.
        rope: probabilities that a is worse by more than, within, and better by more than the
            study's region of practical equivalence (Student posterior).
        seeds_needed: planned: seeds that find a difference as large as that region with 80 %
            power, for the same standard deviation and at Holm's first step.
        words: ``better``, ``worse``, ``undecided`` or ``not comparable: ...``.
        at_chance: the methods of the two whose every run collapsed to chance level.
        outcomes: rates of collapse, where a method has both collapsed runs and others; all numbers
            but these are then of the remaining replicates.
        towards: whose value a significant test would call the higher one: 1 for a, -1 for b, 0 for
            neither.
        role: ``declared`` (corrected over the whole report, gate by gate) or ``exploratory`` for
            accuracies; "" for other measures, which have families of their own.
        gate: of a declared one: the gate at which it is decided, or the first that is not.
        closed_by: the gate above that is undecided, in words; "" if all are decided.
    """

    block: int | None
    metric: str
    condition: str
    noise_type: str
    nominal_rate: float | None
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
    t: float | None
    p: float | None
    p_sign_flip: float | None
    p_holm: float | None
    smallest_p: float
    family: str
    family_size: int
    d_z: float | None
    hedges: float | None
    rho: float | None
    mde: float | None
    rope: Rope | None
    seeds_needed: int | None
    words: str
    at_chance: tuple[str, ...] = ()
    outcomes: Outcomes | None = None
    towards: int = 0
    role: str = ""
    gate: int | None = None
    closed_by: str = ""

    @property
    def comparable(self) -> bool:
        """Whether the two cells are whole, paired and tested."""
        return not self.words.startswith(NOT_COMPARABLE)

    @property
    def decided(self) -> bool:
        """Whether the test distinguishes the two after correction."""
        return self.words in (BETTER, WORSE)

    @property
    def reason(self) -> str:
        """Why the two are not compared, in words."""
        return self.words.split(": ", 1)[-1]

    def sentence(self) -> str:
        """The comparison as one sentence that can be quoted."""
        where = pretty_condition(self.condition)
        if not self.comparable:
            return f"{self.a} and {self.b} are not compared on {where}: {self.obstacle()}."
        if self.test == "identical" and self.outcomes is None:
            return self._same(where)
        if self.test == RATES and not self.closed_by:
            return self._of_rates(where)
        if not self.decided:
            return self._undecided(where)
        better = self.words == BETTER
        verb = "beats" if better else "is worse than"
        estimate = self.estimate or 0.0
        gap = f"{number(abs(estimate))} {self._points}{self.interval(flip=estimate < 0)}"
        return f"{self.a} {verb} {self.b} on {where} by {gap}, {self.facts()}."

    def interval(self, flip: bool = False) -> str:
        """`` [low, high]``, of b - a if ``flip``; empty where there is none."""
        if self.ci_low is None or self.ci_high is None:
            return ""
        low, high = (-self.ci_high, -self.ci_low) if flip else (self.ci_low, self.ci_high)
        return f" [{number(low)}, {number(high)}]"

    def facts(self) -> str:
        """Corrected p, test, sample, family and collapsed runs."""
        details = f"{self.test}, n = {self.sample()}, {self._family()}{self._effect()}"
        text = f"p_Holm {p_equals(self.p_holm)} ({details})"
        if self.outcomes is not None:
            text += f"; {self.outcomes.sentence(self.a, self.b, self.unit)}"
        if self.at_chance:
            text += f"; all runs of {' and '.join(self.at_chance)} collapsed to chance"
        return text

    @property
    def undecidable(self) -> bool:
        """Whether so few replicates can decide nothing in this family, whatever they show."""
        return min(1.0, self.family_size * self.smallest_p) >= ALPHA

    def _undecided(self, where: str) -> str:
        gap = f"difference {number(self.estimate, sign=True)} {self._points}{self.interval()}"
        if self.closed_by:
            return (
                f"{self.a} against {self.b} on {where}: {gap}, no verdict, because the"
                f" {self.closed_by} comes first and is undecided (gate {self.gate})."
            )
        if self.undecidable:
            lowest = min(1.0, self.family_size * self.smallest_p)
            return (
                f"{self.a} against {self.b} on {where} cannot be decided with"
                f" {plural(self.n, self.unit)} (no p_Holm below {lowest:.3f}): {gap},"
                f" {self.facts()}."
            )
        return f"{self.a} and {self.b} are not distinguishable on {where}: {gap}, {self.facts()}."

    def _family(self) -> str:
        """What the correction is over."""
        if self.role == DECLARED:
            return f"declared, gate {self.gate}"
        size = self.family_size
        family = "no correction" if size == 1 else f"family of {size}"
        return f"exploratory, {family}" if self.role == EXPLORATORY else family

    def obstacle(self) -> str:
        """Why nothing was tested, with what there is so far."""
        if self.estimate is None:
            return self.reason
        so_far = f"{number(self.estimate, sign=True)} points{self.interval()}"
        return f"{self.reason}; so far {so_far}, n = {self.sample()}"

    def sample(self) -> str:
        """``5 class splits``; accuracies of a report are always over seeds, so ``5``."""
        return str(self.n) if self.metric == ACCURACY else plural(self.n, self.unit)

    @property
    def _points(self) -> str:
        return "points" if self.metric == ACCURACY else f"points of {self.metric}"

    def _of_rates(self, where: str) -> str:
        """The sentence where the rates of collapse gave the p."""
        found = self.outcomes
        if found is None:
            raise ValueError("a test of rates without outcomes")
        verdict = f"{self.a} and {self.b} are not distinguishable"
        if self.decided:
            verdict = f"{self.a} {'beats' if self.words == BETTER else 'is worse than'} {self.b}"
        lowest = min(1.0, self.family_size * self.smallest_p)
        floor = f"; so few runs that differ cannot give less than {lowest:.3f}"
        rest = "in no seed did both end above chance"
        if self.estimate is not None:
            gap = f"{number(self.estimate, sign=True)} {self._points}{self.interval()}"
            rest = f"where neither collapsed, the difference is {gap}, n = {self.sample()}"
        return (
            f"{verdict} on {where}: {self.a} collapsed in {found.a} and {self.b} in {found.b} of"
            f" {plural(found.n, 'run')} (p_Holm {p_equals(self.p_holm)}, {RATES}, {self._family()}"
            f"{floor if lowest >= ALPHA else ''}); {rest}."
        )

    def _same(self, where: str) -> str:
        if self.metric == ACCURACY:
            return f"{self.a} and {self.b} are the same on {where} in every one of {self.n} seeds."
        return f"{self.a} and {self.b} have the same {self.metric} on {where} every time."

    def _effect(self) -> str:
        """The effect size, in the direction of the sentence's verb."""
        if self.hedges is None or self.metric != ACCURACY:
            return ""
        size = abs(self.hedges) if self.decided else self.hedges
        return f", d_z = {number(size)}"
