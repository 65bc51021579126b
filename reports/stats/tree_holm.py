"""Holm's correction along trees of hypotheses: the gates of a report.

A hypothesis below another one is tested only if that one is rejected. A rejected hypothesis gives
its level to those below it, in proportion to their leaves; a subtree of which everything is
rejected gives its level to its siblings, and a whole tree to the other trees. Trees of one
hypothesis are Holm's procedure (1979).

At no time do the levels of the hypotheses that are not rejected add up to more than alpha, and
rejecting one never lowers the level of another. These are the two conditions of the sequential
rejection principle (Goeman and Solari, Annals of Statistics 38, 2010; the weights are those of the
inheritance procedure of Goeman and Finos, 2012), so a false rejection anywhere has probability
alpha at most, whatever the dependence. No hypothesis needs to imply another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge

# (alpha at which it is rejected, its place in preorder), in the order of rejection.
Order = list[tuple[float, int]]


@dataclass(frozen=True)
class Tree:
    """A hypothesis and those below it.

    Attributes:
        p: its p-value; ``None`` where it cannot be tested: it stays in the family with p = 1.
        children: tested if it is rejected.
    """

    p: float | None
    children: tuple[Tree, ...] = field(default=())

    @cached_property
    def size(self) -> int:
        """Hypotheses in the tree."""
        return 1 + sum(child.size for child in self.children)

    @cached_property
    def leaves(self) -> int:
        """Those of them with none below."""
        return sum(child.leaves for child in self.children) or 1


def tree_holm(trees: Sequence[Tree]) -> list[list[float]]:
    """For each tree the adjusted p of its hypotheses, in preorder.

    The adjusted p is the smallest alpha at which the procedure rejects: it is at least that of the
    hypothesis above, and the family-wise error rate over all trees is at most alpha.
    """
    orders = [_order(tree, 0) for tree in trees]
    found = [[1.0] * tree.size for tree in trees]
    for level, tree, place in _shared([1] * len(trees), orders):
        found[tree][place] = min(level, 1.0)
    return found


def _order(tree: Tree, first: int) -> Order:
    """When a tree's hypotheses are rejected, as the level that the whole tree needs for it."""
    parts, place = [], first + 1
    for child in tree.children:
        parts.append(_order(child, place))
        place += child.size
    own = 1.0 if tree.p is None else tree.p
    below = _shared([child.leaves for child in tree.children], parts)
    return [(own, first), *((max(own, level), at) for level, _, at in below)]


def _shared(weights: Sequence[int], orders: Sequence[Order]) -> list[tuple[float, int, int]]:
    """The rejections of siblings that share a level: (the level needed, sibling, place)."""

    def scaled(sibling: int) -> Order:
        return [(level / weights[sibling], at) for level, at in orders[sibling]]

    left = [len(order) for order in orders]
    unfinished, reached, found = sum(weights), 0.0, []
    queue = merge(*([(ratio, i, at) for ratio, at in scaled(i)] for i in range(len(orders))))
    for ratio, sibling, place in queue:
        reached = max(reached, ratio * unfinished)
        found.append((reached, sibling, place))
        left[sibling] -= 1
        if not left[sibling]:
            unfinished -= weights[sibling]
    return found
