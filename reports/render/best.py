"""What bold means: the rule of the best set in words, for every caption."""

from __future__ import annotations

from collections.abc import Sequence

from nlbench.reports.compare.comparison import ALPHA
from nlbench.reports.compare.ranking import Best
from nlbench.reports.stats import MODERATED_FROM
from nlbench.reports.text import number

SHARE = f"{100 * (1 - ALPHA):g} %"


def tested(found: Sequence[Best]) -> list[Best]:
    """The best sets that rest on a test."""
    return [best for best in found if best.tests is not None and best.tests.thresholds is not None]


def best_set_rule(found: Sequence[Best], unit: str = "seed") -> str:
    """How the best sets of a table were found; empty where nothing was tested.

    Args:
        found: the best sets of its conditions.
        unit: what a replicate is, singular.
    """
    kinds = dict.fromkeys(best.tests.moderated for best in tested(found) if best.tests)
    if not kinds:
        return ""
    name = " or ".join("moderated t" if moderated else "paired t" for moderated in kinds)
    ends = [t for best in tested(found) if best.tests for t in best.tests.thresholds or ()]
    low, high = number(min(ends)), number(max(ends))
    methods = sorted({best.methods for best in tested(found)})
    k = f"{methods[0]}" if len(methods) == 1 else f"{methods[0]} to {methods[-1]}"
    text = (
        f"The {SHARE} best set leaves out a method that another one beats in a one-sided {name}"
        f" test over {unit}s at {ALPHA:g}/(k − 1) with k = {k}, that is t above"
        f" {low if low == high else f'{low} to {high}'}; each truly best one is in it with"
        f" probability {SHARE} or more."
    )
    return text + (f" {_formula(unit)}" if True in kinds else "")


def _formula(unit: str) -> str:
    return (
        f"Moderated t (from {MODERATED_FROM} on): t = d/(s/√n) on d0 + n − 1 degrees of freedom (at"
        " most (k − 1)(n − 1)) with s² = (d0·s0² + (n − 1)·s_d²)/(d0 + n − 1), where d and s_d are"
        f" mean and standard deviation of the differences over n {unit}s, and d0 and s0² are"
        " estimated from all pairs of the condition (Smyth 2004)."
    )
