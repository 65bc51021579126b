"""The gates' correction against the procedure itself, Holm's, and its promise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import stdtr
from statsmodels.stats.multitest import multipletests

from nlbench.reports.stats import Tree, tree_holm

Floats = NDArray[np.float64]


def nested(draws: np.random.Generator, depth: int) -> Tree:
    p = float(draws.choice([draws.uniform(0, 0.05), draws.uniform()]))
    count = int(draws.integers(0, 4)) if depth else 0
    return Tree(p, tuple(nested(draws, depth - 1) for _ in range(count)))


def rejected_at(alpha: float, trees: tuple[Tree, ...]) -> list[list[bool]]:
    """The procedure as it is told: allot levels, reject what lies below its own, allot again."""
    done: set[int] = set()

    def finished(tree: Tree) -> bool:
        return id(tree) in done and all(map(finished, tree.children))

    def allot(level: float, siblings: tuple[Tree, ...], weights: list[int]) -> bool:
        open_ = [(t, w) for t, w in zip(siblings, weights, strict=True) if not finished(t)]
        total, news = sum(w for _, w in open_), False
        for tree, weight in open_:
            share = level * weight / total
            if id(tree) in done:
                news |= allot(share, tree.children, [c.leaves for c in tree.children])
            elif tree.p is not None and tree.p <= share:
                done.add(id(tree))
                news = True
        return news

    while allot(alpha, trees, [1] * len(trees)):
        pass

    def preorder(tree: Tree) -> list[bool]:
        return [id(tree) in done, *(one for child in tree.children for one in preorder(child))]

    return [preorder(tree) for tree in trees]


@pytest.mark.parametrize("seed", range(20))
def test_adjusted_p_is_the_level_from_which_the_procedure_rejects(seed: int) -> None:
    draws = np.random.Generator(np.random.Philox(seed))
    trees = tuple(nested(draws, 3) for _ in range(int(draws.integers(1, 5))))
    adjusted = tree_holm(trees)
    for alpha in (0.001, 0.01, 0.05, 0.2, 0.6):
        assert rejected_at(alpha, trees) == [[p <= alpha for p in tree] for tree in adjusted]


def test_trees_of_one_hypothesis_are_holms_procedure() -> None:
    p = np.random.Generator(np.random.Philox(1)).uniform(0, 0.2, 9)
    expected = multipletests(p, method="holm")[1]
    assert [tree[0] for tree in tree_holm([Tree(float(v)) for v in p])] == pytest.approx(expected)


def test_a_chain_is_tested_at_the_full_level_and_no_child_before_its_parent() -> None:
    assert tree_holm([Tree(0.01, (Tree(0.001), Tree(0.03)))]) == [[0.01, 0.01, 0.03]]
    assert tree_holm([Tree(0.2, (Tree(1e-9),))]) == [[0.2, 0.2]]


def test_what_cannot_be_tested_stays_in_the_family() -> None:
    assert tree_holm([Tree(0.02), Tree(None, (Tree(1e-9),))]) == [[0.04], [1.0, 1.0]]
    assert tree_holm([]) == []


def student_p(differences: Floats) -> Floats:
    """Two-sided p of the mean over the last axis."""
    n = differences.shape[-1]
    t = differences.mean(-1) / (differences.std(-1, ddof=1) / np.sqrt(n))
    return np.asarray(2 * stdtr(n - 1, -np.abs(t)), dtype=np.float64)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_a_whole_report_errs_in_five_percent(n: int) -> None:
    """Two comparisons with one baseline in six conditions; true differences that cancel out.

    In the first comparison nothing differs; in the second the mean over all conditions is 0 though
    two conditions differ, so that a false step at its first gate is an error too.
    """
    draws, repeats = np.random.Generator(np.random.Philox(n)), 3000
    methods = draws.normal(size=(repeats, 3, 6, n))
    shift = np.array([0.0, 0.0, 0.0, 0.0, 5.0, -5.0])
    differences = methods[:, 1:] - methods[:, :1]
    differences[:, 1] += shift[:, None]
    kinds = ((0,), (1, 2, 3), (4,), (5,))
    leaves, roots = student_p(differences), student_p(differences.mean(2))
    middle = student_p(differences[:, :, 1:4].mean(2))
    false = 0
    for k in range(repeats):
        trees = []
        for c in range(2):
            below = [
                Tree(float(middle[k, c]), tuple(Tree(float(leaves[k, c, i])) for i in kind))
                if len(kind) > 1
                else Tree(float(leaves[k, c, kind[0]]))
                for kind in kinds
            ]
            trees.append(Tree(float(roots[k, c]), tuple(below)))
        first, second = (np.array(p) < 0.05 for p in tree_holm(trees))
        # Preorder: all, clean, symmetric, its three rates, and the two that truly differ.
        false += bool(first.any() or second[:6].any())
    assert false / repeats < 0.05 + 3 * np.sqrt(0.05 * 0.95 / repeats)
    assert false / repeats > 0.025
