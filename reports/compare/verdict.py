"""Verdict: one comparison with everything a reader needs to judge it, and the words for it."""

from __future__ import annotations

from dataclasses import dataclass

from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import Rope
from nlbench.reports.text import number, p_equals

ALPHA = 0.05
BETTER, WORSE, UNDECIDED = "better", "worse", "undecided"
NOT_COMPARABLE = "not comparable"


class Judged:
    """What every comparison can be asked, whatever its measure; subclasses are dataclasses.

    Attributes:
        ci_low: lower bound of the 95 % interval of a - b, ``None`` where there is none.
        ci_high: its upper bound.
        words: ``better``, ``worse``, ``undecided`` or ``not comparable: ...``.
    """

    ci_low: float | None
    ci_high: float | None
    words: str

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

    def interval(self, flip: bool = False) -> str:
        """`` [low, high]``, of b - a if ``flip``; empty where there is none."""
        if self.ci_low is None or self.ci_high is None:
            return ""
        low, high = (-self.ci_high, -self.ci_low) if flip else (self.ci_low, self.ci_high)
        return f" [{number(low)}, {number(high)}]"


@dataclass(frozen=True, kw_only=True)
class Verdict(Judged):
    """Method a against method b in one condition, over seeds; differences are a - b in points.

    What n or the data do not allow is ``None``. Renderers format this; none of them computes.

    Attributes:
        block: index of the block (data set, network, profile).
        condition: noise line.
        noise_type: the line without its rate.
        nominal_rate: nominal noise rate, ``None`` if unknown.
        a: label of the method that is judged.
        b: label of the method it is judged against.
        n: common seeds with a value.
        expected_n: common declared seeds.
        mean_a: mean accuracy of a over the common seeds, percent.
        mean_b: the same of b.
        estimate: mean paired difference in percentage points.
        sd: standard deviation of the differences (n - 1).
        ci_low: lower bound of the 95 % Student interval.
        ci_high: its upper bound.
        test: ``paired t``, ``exact sign-flip``, ``identical`` or ``none``.
        t: t statistic.
        p: two-sided p; ``None`` where the cells are not comparable.
        p_sign_flip: exact two-sided sign-flip p, the assumption-free companion.
        p_holm: p after Holm over the family.
        family: the family's name.
        family_size: its declared number of comparisons.
        d_z: estimate / sd.
        hedges: d_z with the small-sample correction.
        rho: correlation of the two methods' seed residuals in this condition.
        mde: smallest true difference in points found with 80 % power at Holm's first step.
        rope: probabilities that a is worse by more than, within, and better by more than the
            study's region of practical equivalence (Student posterior).
        seeds_needed: seeds that would find a difference as large as that region with 80 % power,
            at this spread and Holm's first step.
        words: ``better``, ``worse``, ``undecided`` or ``not comparable: ...``.
        at_chance: the methods of the two whose every run collapsed to chance level.
    """

    block: int
    condition: str
    noise_type: str
    nominal_rate: float | None
    a: str
    b: str
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

    def sentence(self) -> str:
        """The verdict as one sentence that can be quoted."""
        where = pretty_condition(self.condition)
        if not self.comparable:
            return self._refusal(where)
        if self.test == "identical":
            return f"{self.a} and {self.b} are the same on {where} in every one of {self.n} seeds."
        details = f"{self.test}, n = {self.n}, {self._family()}{self._effect()}"
        facts = f"p_Holm {p_equals(self.p_holm)} ({details})"
        interval = self.interval()
        if not self.decided:
            head = f"{self.a} and {self.b} are not distinguishable on {where}:"
            difference = f"difference {number(self.estimate, sign=True)} points{interval}"
            return f"{head} {difference}, {facts}{self._tail()}."
        verb = "beats" if self.words == BETTER else "is worse than"
        gap = number(abs(self.estimate or 0.0))
        if self.words == WORSE:
            interval = self.interval(flip=True)
        return (
            f"{self.a} {verb} {self.b} on {where} by {gap} points{interval}, {facts}{self._tail()}."
        )

    def _family(self) -> str:
        return "no correction" if self.family_size == 1 else f"family of {self.family_size}"

    def _effect(self) -> str:
        """The effect size, in the direction of the sentence's verb."""
        if self.hedges is None:
            return ""
        size = abs(self.hedges) if self.decided else self.hedges
        return f", d_z = {number(size)}"

    def _tail(self) -> str:
        tail = ""
        if self.mde is not None:
            tail = f"; true differences under {number(self.mde)} points would often be missed"
        if self.at_chance:
            tail += f"; all runs of {' and '.join(self.at_chance)} collapsed to chance"
        return tail

    def _refusal(self, where: str) -> str:
        text = f"{self.a} and {self.b} are not compared on {where}: {self.reason}"
        if self.estimate is None:
            return f"{text}."
        difference = f"{number(self.estimate, sign=True)} points{self.interval()}"
        return f"{text}; so far {difference}, n = {self.n}."
