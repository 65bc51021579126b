"""Exact McNemar test: does one of two paired outcomes (collapsed or not) come up more often?"""

from __future__ import annotations

from scipy.special import bdtr


def mcnemar(only_a: int, only_b: int) -> float:
    """Two-sided exact p: the sign test of the pairs in which one of the two has the outcome.

    Pairs in which both or neither have it show nothing about a difference of the rates. Given how
    many pairs are left, ``only_a`` is binomial with chance 1/2 if the rates are equal.

    Args:
        only_a: pairs in which a has the outcome and b has not.
        only_b: pairs in which b has it and a has not.

    Raises:
        ValueError: a count below 0.
    """
    if min(only_a, only_b) < 0:
        raise ValueError(f"counts of pairs {only_a} and {only_b} must be at least 0")
    n = only_a + only_b
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), n, 0.5))) if n else 1.0
