"""How well suspicious labels are found, where the true labels are known."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.metrics.label_errors import detection
from nlbench.benchmark.suspicious.folds import Labels
from nlbench.benchmark.suspicious.judge import Probabilities, judge

CLEANLAB = "cleanlab"
ALL = "all methods"


@dataclass(frozen=True)
class Measured:
    """How well one judge finds wrong labels.

    Attributes:
        judge: a method, all of them, or another program.
        flagged: how many labels it flags.
        precision, recall: of what it flags; ``None`` where nothing is flagged.
        at_rate: both, where as many are flagged as are wrong, those of highest score.
        auroc, ap: of the score: area under the ROC curve, average precision.
    """

    judge: str
    flagged: int
    precision: float | None
    recall: float
    at_rate: float
    auroc: float
    ap: float


def measure(
    probabilities: Mapping[str, Probabilities], given: Labels, truth: Labels
) -> list[Measured]:
    """All methods together, each alone where there are several, and cleanlab where it is there.

    Empty where no label is wrong or none is right: there is nothing to find then.
    """
    wrong = given != truth
    if not wrong.any() or wrong.all():
        return []
    each = list(probabilities.values())
    judges = {ALL: each, **({n: [p] for n, p in probabilities.items()} if len(each) > 1 else {})}
    found = []
    for name, seen in judges.items():
        verdict = judge(seen, given)
        found.append(_measured(name, verdict.score, verdict.flagged, wrong))
    other = _cleanlab(np.mean(each, axis=0), given)
    return found if other is None else [*found, _measured(CLEANLAB, *other, wrong)]


def _measured(
    name: str, score: Probabilities, flagged: NDArray[np.bool_], wrong: NDArray[np.bool_]
) -> Measured:
    hits, count = int((flagged & wrong).sum()), int(flagged.sum())
    curve = detection(score, wrong)
    return Measured(
        judge=name,
        flagged=count,
        precision=hits / count if count else None,
        recall=hits / int(wrong.sum()),
        at_rate=curve["f1"],
        auroc=curve["auroc"],
        ap=curve["ap"],
    )


def _cleanlab(mean: Probabilities, given: Labels) -> tuple[Probabilities, NDArray[np.bool_]] | None:
    """Score and flags of cleanlab's defaults from the same probabilities, if it is there."""
    try:
        issues: Any = importlib.import_module("cleanlab.filter")
        ranks: Any = importlib.import_module("cleanlab.rank")
    except ImportError:
        return None
    flagged = issues.find_label_issues(given, mean, n_jobs=1)
    return 1 - ranks.get_label_quality_scores(given, mean), np.asarray(flagged, dtype=np.bool_)
