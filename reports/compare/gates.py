"""Gates: each claim first over all its conditions, then by noise type, then by condition.

A gate is tested once the gate above it is decided, and all gates of a report together make a false
statement with a probability of ALPHA at most (stats/tree_holm.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nlbench.reports.compare.averaged import averaged
from nlbench.reports.compare.claims import Claim, Place
from nlbench.reports.compare.comparison import (
    ALPHA,
    BETTER,
    NOT_COMPARABLE,
    UNDECIDED,
    WORSE,
    Comparison,
)
from nlbench.reports.compare.outcomes import RATES, Outcomes
from nlbench.reports.compare.pairing import Pairing, match
from nlbench.reports.read.cells import Cell
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.stats import (
    PAIRED_T,
    SATTERTHWAITE,
    SeedMean,
    SignificanceTest,
    Tree,
    tree_holm,
)
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


@dataclass(frozen=True)
class _Node:
    """A gate and those below it, before the correction."""

    gate: Gate
    children: tuple[_Node, ...]

    def tree(self) -> Tree:
        return Tree(self.gate.mean.p, tuple(child.tree() for child in self.children))


def gates(
    claims: Sequence[Claim],
    comparisons: Sequence[Comparison],
    test: SignificanceTest = PAIRED_T,
) -> tuple[Gate, ...]:
    """The gates of all claims with their verdicts, claim by claim, upper gates first.

    Args:
        claims: all that the report declares.
        comparisons: of all pairs in all conditions; a single condition's p is that of its own.
        test: what decides.
    """
    known = {spot(c): c for c in comparisons}
    nodes = []
    for claim in claims:
        maker = _Maker(claim, known, test, len(claims))
        nodes.append(maker.node(range(len(claim.places))))
    adjusted = tree_holm([node.tree() for node in nodes])
    return tuple(
        gate for node, p in zip(nodes, adjusted, strict=True) for gate in _judged(node, iter(p))
    )


def spot(comparison: Comparison) -> Spot:
    """Where a comparison is, whichever way round it is."""
    return comparison.block, comparison.condition, frozenset((comparison.a, comparison.b))


def _judged(node: _Node, p: Iterator[float], closed: Gate | None = None) -> Iterator[Gate]:
    """The gates with corrected p and words, in preorder as ``p`` is."""
    gate, p_holm = node.gate, next(p)
    at = closed or gate
    gate = replace(gate, stands_at=at.depth, closed_by=closed.where if closed else "")
    if not gate.words.startswith(NOT_COMPARABLE):
        words = UNDECIDED
        if p_holm < ALPHA and gate.towards:
            words = BETTER if gate.towards > 0 else WORSE
        gate = replace(gate, p_holm=p_holm, words=words)
    yield gate
    below = closed or (None if gate.decided else gate)
    for child in node.children:
        yield from _judged(child, p, below)


class _Maker:
    """Makes the gates of one claim."""

    def __init__(
        self,
        claim: Claim,
        known: Mapping[Spot, Comparison],
        test: SignificanceTest,
        claims: int,
    ) -> None:
        self.claim, self.test, self.claims = claim, test, claims
        pair = frozenset((claim.a, claim.b))
        self.comparisons = [known[block.index, c.line, pair] for block, c in claim.places]
        self.pairs = [_pairs(claim, place) for place in claim.places]
        self.several = len({block.index for block, _ in claim.places}) > 1

    def node(self, places: Sequence[int], depth: int = 1) -> _Node:
        """The gate of these places of the claim, and those below it."""
        if len(places) == 1:
            return _Node(self._condition(places[0], depth), ())
        here = [self.claim.places[i] for i in places]
        level, keys = self._level(here)
        parts: dict[object, list[int]] = {}
        for i, key in zip(places, keys, strict=True):
            parts.setdefault(key, []).append(i)
        below = tuple(self.node(part, depth + 1) for part in parts.values())
        return _Node(self._average(places, depth, level), below)

    def _level(self, here: Sequence[Place]) -> tuple[str, list[object]]:
        """Which gate the average over these places is, and how it is divided below."""
        if len({block.index for block, _ in here}) > 1:
            return ALL, [block.index for block, _ in here]
        if len({condition.type for _, condition in here}) > 1:
            return DATA if self.several else ALL, [condition.type for _, condition in here]
        return NOISE, [condition.line for _, condition in here]

    def _gate(self, places: Sequence[int], mean: SeedMean, **words: Any) -> Gate:
        chosen = [self.claim.places[i] for i in places]
        return Gate(
            profile=self.claim.profile,
            a=self.claim.a,
            b=self.claim.b,
            noise=self.claim.where,
            places=tuple((block.index, condition.line) for block, condition in chosen),
            mean=mean,
            smallest_p=0.0 if mean.test == SATTERTHWAITE else self.test.smallest(mean.n),
            claims=self.claims,
            **words,
        )

    def _condition(self, place: int, depth: int) -> Gate:
        c = self.comparisons[place]
        forward = c.a == self.claim.a
        sign = 1.0 if forward else -1.0
        low, high = (c.ci_low, c.ci_high) if forward else (c.ci_high, c.ci_low)
        estimate, low, high = (None if v is None else sign * v for v in (c.estimate, low, high))
        mean = SeedMean(c.n, estimate, low, high, None, c.p, c.test)
        words = UNDECIDED if c.comparable else c.words
        where = self._name(place)
        towards = c.towards if forward else -c.towards
        gate = self._gate(
            [place],
            mean,
            depth=depth,
            level=CONDITION,
            where=where,
            towards=towards,
            words=words,
        )
        return replace(gate, smallest_p=c.smallest_p)

    def _average(self, places: Sequence[int], depth: int, level: str) -> Gate:
        whole = {i: pair for i in places if (pair := self.pairs[i]) is not None}
        found = averaged(list(whole.values()), self.test)
        used = dict(zip(whole, found.used, strict=True))
        words = UNDECIDED
        if not whole:
            words = f"{NOT_COMPARABLE}: no condition has complete pairs"
        elif found.mean.p is None:
            words = f"{NOT_COMPARABLE}: one seed has no spread to test against"
        return self._gate(
            places,
            found.mean,
            depth=depth,
            level=level,
            where=self._words(places, level, len(whole)),
            left_out=tuple(
                self._name(i) + (" (fewer than two pairs left)" if i in used else "")
                for i in places
                if not used.get(i)
            ),
            outcomes=found.outcomes,
            towards=found.towards,
            words=words,
        )

    def _words(self, places: Sequence[int], level: str, there: int) -> str:
        block, condition = self.claim.places[places[0]]
        count = f"{there} of {len(places)}" if there < len(places) else f"{len(places)}"
        if level == NOISE:
            kind = pretty_condition(condition.type)
            data = f" of {block.title}" if self.several else ""
            return f"average over {kind} ({count} rates{data})"
        whole = f"all {count}" if there == len(places) else count
        data = f" of {block.title}" if level == DATA else ""
        return f"average over {whole} conditions{data}"

    def _name(self, place: int) -> str:
        block, condition = self.claim.places[place]
        data = f" ({block.title})" if self.several else ""
        return f"{pretty_condition(condition.line)}{data}"


def _pairs(claim: Claim, place: Place) -> tuple[Pairing, Cell, Cell] | None:
    """The declared seeds of both; ``None`` where some are missing or not paired."""
    block, condition = place
    a, b = (block.cells[method, condition.line] for method in (claim.a, claim.b))
    pairing = match(a, b)
    if not pairing.paired or not pairing.seeds or len(pairing.seeds) < pairing.expected:
        return None
    return pairing, a, b
