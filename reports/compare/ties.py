"""Groups without a significant difference, given which pairs a test has decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

# A pair of labels -> whether it is decided; a pair that is not there was not compared.
Decided = Mapping[frozenset[str], bool]


def tie_groups(order: Sequence[str], beats: Collection[tuple[str, str]]) -> dict[str, int]:
    """Label -> 1 for those whom nobody beats, 2 for those whom nobody of the rest beats, ...

    Args:
        order: labels, best first.
        beats: (winner, loser) of every decided pair.
    """
    rest, groups, place = list(order), dict[str, int](), 0
    while rest:
        place += 1
        # Means over different seeds can run in a circle; the best mean of the rest opens it.
        top = [m for m in rest if not any((other, m) in beats for other in rest)] or rest[:1]
        groups |= dict.fromkeys(top, place)
        rest = [m for m in rest if m not in groups]
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
