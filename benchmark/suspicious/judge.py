"""From out-of-fold probabilities to suspicious labels: confident learning.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", Journal
of Artificial Intelligence Research 70 (2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.suspicious.folds import Labels

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What networks make of the given labels, a row per sample.

    Attributes:
        score: 1 minus the probability of the given label (their self-confidence), averaged over
            methods; high: suspicious.
        guess: the most probable class, by the same average.
        flagged: whether the average counts the sample confidently as another class.
        agree: how many methods do so each by itself.
    """

    score: Probabilities
    guess: Labels
    flagged: NDArray[np.bool_]
    agree: Labels

    @property
    def order(self) -> Labels:
        """The samples, most suspicious first; of equal ones the first in the data."""
        return np.argsort(-self.score, kind="stable")


def judge(probabilities: Sequence[Probabilities], given: Labels) -> Verdict:
    """The verdict on the given labels.

    Args:
        probabilities: (N, K) of each method, out of fold.
        given: (N,) labels.
    """
    mean = np.mean(probabilities, axis=0)
    flags = [confident(each, given) != given for each in probabilities]
    return Verdict(
        score=1 - self_confidence(mean, given),
        guess=mean.argmax(axis=1).astype(np.int64),
        flagged=confident(mean, given) != given,
        agree=np.sum(flags, axis=0).astype(np.int64),
    )


def self_confidence(probabilities: Probabilities, given: Labels) -> Probabilities:
    """(N,) probability of the given label."""
    return probabilities[np.arange(len(given)), given]


def confident(probabilities: Probabilities, given: Labels) -> Labels:
    """(N,) the class that each sample is confidently counted as.

    A class counts a sample whose probability for it is at least what those with this given label
    have on average; of several the most probable one; where no class does, it is the given label.
    """
    own = self_confidence(probabilities, given)
    classes = probabilities.shape[1]
    sums = np.bincount(given, weights=own, minlength=classes)
    # A class that nobody was given has no average and counts nobody.
    thresholds = np.full(classes, np.inf)
    sizes = np.bincount(given, minlength=classes)
    np.divide(sums, sizes, out=thresholds, where=sizes > 0)
    # Sums of equal probabilities are off in the last bits.
    candidates = np.where(probabilities >= thresholds - 1e-12, probabilities, -np.inf)
    best = candidates.argmax(axis=1).astype(np.int64)
    return np.where(np.isfinite(candidates.max(axis=1)), best, given)
