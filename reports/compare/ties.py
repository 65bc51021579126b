"""Groups without a significant difference, given which pairs a test has decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# A pair of labels -> whether it is decided; a pair that is not there was not compared.
Decided = Mapping[frozenset[str], bool]


def tie_groups(order: Sequence[str], decided: Decided) -> dict[str, int]:
    """Label -> 1 for the best and all undecided against it, 2 for the rest's best, and so on.

    Greedy from the top; a label that was not compared with the leader of a round has no group.

    Args:
        order: labels, best first.
        decided: the outcomes of their comparisons.
    """
    rest, groups, place = list(order), dict[str, int](), 0
    while rest:
        leader, others = rest[0], rest[1:]
        place += 1
        outcome = {label: decided.get(frozenset((leader, label))) for label in others}
        groups[leader] = place
        groups |= {label: place for label in others if outcome[label] is False}
        rest = [label for label in others if outcome[label]]
    return groups


def tied_sets(order: Sequence[str], decided: Decided) -> tuple[tuple[str, ...], ...]:
    """Sets of labels of which no pair is decided, for bars; they need not be contiguous.

    Args:
        order: labels, best first.
        decided: the outcomes of all their comparisons.
    """
    found: list[tuple[str, ...]] = []
    for i, first in enumerate(order):
        group = [first]
        for other in order[i + 1 :]:
            if not any(decided[frozenset((other, member))] for member in group):
                group.append(other)
        if len(group) > 1 and not any(set(group) <= set(g) for g in found):
            found.append(tuple(group))
    return tuple(found)
