"""Claims: the comparisons that a study declared, each with the conditions it is about."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from nlbench.benchmark.spec.hypothesis import Hypothesis
from nlbench.reports.read.cells import Block, Condition

Place = tuple[Block, Condition]


@dataclass(frozen=True)
class Claim:
    """Two methods to be compared over declared conditions of one profile.

    Attributes:
        a: label of what is judged.
        b: label of what it is judged against.
        profile: the profile, with the values of its recipe where a study has several.
        where: the noise it is about, as the hypothesis states it; "" for all conditions.
        places: the conditions in which both are declared, in table order.
    """

    a: str
    b: str
    profile: str
    where: str
    places: tuple[Place, ...]


def claims(
    blocks: Sequence[Block],
    baseline: Collection[str],
    hypotheses: Sequence[Hypothesis] = (),
    names: Mapping[str, str] | None = None,
) -> tuple[Claim, ...]:
    """Every method against the baseline, then the hypotheses, for each profile; none twice.

    Args:
        blocks: all cells.
        baseline: labels of the baseline.
        hypotheses: what the suite declares beside.
        names: label -> name of the method, where they differ.
    """
    found: dict[tuple[frozenset[str], tuple[tuple[int, str], ...]], Claim] = {}
    for profile in dict.fromkeys(block.key.regime for block in blocks):
        chosen = [block for block in blocks if block.key.regime == profile]
        for a, b, hypothesis in _pairs(chosen, baseline, hypotheses, names or {}):
            places = tuple(_places(chosen, a, b, hypothesis))
            key = frozenset((a, b)), tuple((block.index, c.line) for block, c in places)
            if places:
                found.setdefault(key, Claim(a, b, profile, hypothesis.where, places))
    return tuple(found.values())


def _pairs(
    blocks: Sequence[Block],
    baseline: Collection[str],
    hypotheses: Sequence[Hypothesis],
    names: Mapping[str, str],
) -> Iterator[tuple[str, str, Hypothesis]]:
    labels = list(dict.fromkeys(m for block in blocks for m in block.methods))
    everywhere = Hypothesis("", "")
    for a, b in product(labels, labels):
        if a not in baseline and b in baseline:
            yield a, b, everywhere
    for one in hypotheses:
        sides = [[m for m in labels if names.get(m, m) == name] for name in (one.a, one.b)]
        yield from ((a, b, one) for a, b in product(*sides))


def _places(blocks: Sequence[Block], a: str, b: str, one: Hypothesis) -> Iterator[Place]:
    for block in blocks:
        for condition in block.conditions:
            there = all((m, condition.line) in block.cells for m in (a, b))
            if there and one.covers(condition.line):
                yield block, condition
