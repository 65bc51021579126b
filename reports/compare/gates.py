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
from nlbench.reports.compare.gate import ALL, CONDITION, DATA, NOISE, Gate, Spot, spot
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
