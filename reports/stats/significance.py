"""Tests of significance: each is one entry, and a suite chooses the one that decides.

To add one, write its entry here and name it in TESTS; sentences, captions and tables take its name
from the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.errors import unknown
from nlbench.reports.stats.paired import PairedTest, paired_t, student_p
from nlbench.reports.stats.power import minimum_detectable_effect, seeds_needed
from nlbench.reports.stats.ranks import signed_rank_p
from nlbench.reports.stats.signflip import sign_flips, smallest_p

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Paired differences that are not all equal.

    Attributes:
        differences: (n,) with n >= 2.
        t: their t statistic.
    """

    differences: Floats
    t: float


@dataclass(frozen=True)
class SignificanceTest:
    """A two-sided test of paired differences against no difference.

    Attributes:
        name: as a suite and a sentence name it.
        title: as a caption does, after "two-sided".
        p: samples of one family -> a p-value each.
        smallest: n -> the smallest p that n differences can give.
        detectable: (n, level) -> smallest true difference that the test finds with 80 % power, in
            standard deviations of the differences; ``None`` if that is not known.
        needed: (true difference in standard deviations, level) -> n that finds it with 80 % power.
    """

    name: str
    title: str
    p: Callable[[Sequence[Sample]], list[float]]
    smallest: Callable[[int], float] = lambda _: 0.0
    detectable: Callable[[int, float], float | None] | None = None
    needed: Callable[[float, float], int | None] | None = None


PAIRED_T = SignificanceTest(
    "paired t",
    "paired t test",
    lambda samples: [student_p(sample.t, len(sample.differences)) for sample in samples],
    detectable=minimum_detectable_effect,
    needed=seeds_needed,
)
SIGN_FLIP = SignificanceTest(
    "sign flip",
    "sign-flip test",
    lambda samples: sign_flips([sample.differences for sample in samples]),
    smallest_p,
)
WILCOXON = SignificanceTest(
    "Wilcoxon",
    "Wilcoxon signed-rank test",
    # Accuracies are counts over test images: what differs by rounding only is a tie.
    lambda samples: [signed_rank_p(sample.differences.round(9)) for sample in samples],
    smallest_p,
)
TESTS = {test.name: test for test in (PAIRED_T, SIGN_FLIP, WILCOXON)}


def significance_test(name: str, where: str) -> SignificanceTest:
    """The test of this name; ``where`` names in an error the place that asked for it.

    Raises:
        ReportError: no such test.
    """
    if name not in TESTS:
        raise unknown(f"test of significance in {where}:", name, TESTS)
    return TESTS[name]


def paired_tests(
    pairs: Sequence[tuple[Floats, Floats]], test: SignificanceTest = PAIRED_T
) -> list[PairedTest]:
    """Describe every pair (a, b) as :func:`paired_t` does and let ``test`` decide.

    Where it has found no spread, its exact p is kept: no test of these could give a smaller one.
    """
    found = [paired_t(a, b) for a, b in pairs]
    samples = {
        at: Sample(a - b, one.t)
        for at, ((a, b), one) in enumerate(zip(pairs, found, strict=True))
        if one.t is not None
    }
    # Together: a test that draws sign patterns applies them to all samples at once.
    for at, p in zip(samples, test.p(list(samples.values())), strict=True):
        found[at] = replace(found[at], p=p, test=test.name)
    return found
