"""Open-set recognition: how well a score separates unknown test images from known ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from nlbench.benchmark.metrics.roc import DIGITS, Mask, Scores, roc_on_grid

ACCEPTED = 0.95


def recognition(
    known: Scores, unknown: Scores, correct: Mask, validation: Scores
) -> dict[str, Any]:
    """Every metric of one score; higher scores mean more likely unknown.

    Args:
        known: (M,) scores of the test images of known classes.
        unknown: (U,) scores of the unknown test images.
        correct: (M,) whether the closed-set prediction is right.
        validation: (V,) scores of held-out images of known classes; V = 0: no threshold is chosen.

    Returns:
        Fractions in [0, 1]:
        ``auroc``: an unknown scores above a known image, ties half.
        ``aupr_unknown``, ``aupr_known``: average precision with unknown (known) as positive.
        ``fpr95``: share of unknowns accepted at the threshold that accepts 95 % of known test
        images (Liang et al., ODIN, 2018).
        ``oscr``: area under the share of known images that are accepted and rightly classified
        against the share of unknowns accepted (Dhamija et al., 2018). It is the ROC area in which a
        known image counts only if it is rightly classified, times the closed-set accuracy.
        ``threshold``: the score above which an image is rejected, so that 95 % of the validation
        images are accepted; ``known_rejected``, ``unknown_rejected``: shares of test images
        rejected by it (``None`` without validation images).
        ``roc``, ``ccr``: shares of known images accepted, and accepted and right, at the shares of
        unknowns accepted 0, 0.01 ... 1.

    All scores finite. Areas from scikit-learn.
    """
    # Here: a command that trains nothing does not wait for it.
    from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

    scores = np.concatenate([known, unknown])
    is_known = np.arange(len(scores)) < len(known)
    weights = np.concatenate([correct, np.ones(len(unknown))]).astype(np.float64)
    accuracy = float(correct.mean())
    fpr, tpr, _ = roc_curve(is_known, -scores, drop_intermediate=False)
    right = roc_auc_score(is_known, -scores, sample_weight=weights) if accuracy > 0 else 0.0
    ccr = roc_on_grid(-scores, is_known, weights) if accuracy > 0 else [0.0] * 101
    metrics = {
        "auroc": roc_auc_score(is_known, -scores),
        "aupr_unknown": average_precision_score(~is_known, scores),
        "aupr_known": average_precision_score(is_known, -scores),
        "fpr95": fpr[int(np.argmax(tpr >= ACCEPTED))],
        "oscr": accuracy * right,
    }
    return {
        **{name: round(float(value), DIGITS) for name, value in metrics.items()},
        **_thresholded(known, unknown, validation),
        "roc": roc_on_grid(-scores, is_known),
        "ccr": [round(accuracy * value, DIGITS) for value in ccr],
    }


def _thresholded(known: Scores, unknown: Scores, validation: Scores) -> dict[str, float | None]:
    """What a threshold chosen on validation images of known classes alone does on the test set."""
    if not len(validation):
        return {"threshold": None, "known_rejected": None, "unknown_rejected": None}
    threshold = float(np.quantile(validation, ACCEPTED, method="inverted_cdf"))
    return {
        "threshold": threshold,
        "known_rejected": float((known > threshold).mean()),
        "unknown_rejected": float((unknown > threshold).mean()),
    }
