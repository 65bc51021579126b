"""Detection of mislabelled samples: how well a criterion finds the flipped training labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from nlbench.benchmark.metrics.roc import DIGITS, Mask, Scores, auroc, roc_on_grid

BINS = 50


def detection(suspicion: Scores, flipped: Mask) -> dict[str, Any]:
    """Metrics of one criterion; higher values mean more likely mislabelled.

    Args:
        suspicion: (N,) finite values.
        flipped: (N,) which labels are wrong; at least one is and one is not.

    Returns:
        ``auroc``; ``ap``: average precision; ``f1`` at the known rate: as many samples are flagged
        as are mislabelled, those of highest suspicion (of equal ones the first in file order), so
        precision and recall are equal; ``roc``: share of flipped samples found at the shares of
        clean ones flagged 0, 0.01 ... 1.
    """
    # Here: a command that trains nothing does not wait for it.
    from sklearn.metrics import average_precision_score, f1_score

    count = int(flipped.sum())
    flagged = np.zeros(len(flipped), dtype=bool)
    flagged[np.argsort(-suspicion, kind="stable")[:count]] = True
    area = auroc(suspicion, flipped)
    assert area is not None
    return {
        "auroc": round(area, DIGITS),
        "ap": round(float(average_precision_score(flipped, suspicion)), DIGITS),
        "f1": round(float(f1_score(flipped, flagged)), DIGITS),
        "roc": roc_on_grid(suspicion, flipped),
    }


def histogram(mass: Scores, flipped: Mask) -> dict[str, list[int]]:
    """Probabilities of clean and of flipped samples, counted in 50 equal bins of [0, 1]."""
    return {
        name: np.histogram(mass[part], bins=BINS, range=(0, 1))[0].tolist()
        for name, part in (("clean", ~flipped), ("flipped", flipped))
    }
