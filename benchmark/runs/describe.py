"""Parts of a record: the accuracies by name, what the run cost, and how it failed."""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.training import Outcome


def select(curves: Mapping[str, Sequence[float | None]]) -> dict[str, float | int | None]:
    """The four accuracies from one run's curves; the earliest of equal epochs is chosen.

    Only epochs that were evaluated can be chosen; the last one always was.

    ``last``: the last epoch. ``noisy_val`` / ``clean_val``: the epoch best on the held-out images
    by their noisy / clean labels. ``oracle``: the best test epoch, unknown in practice.
    """
    test = curves["test_accuracy"]
    chosen: dict[str, float | int | None] = {"last": test[-1]}
    rules = {"noisy_val": "val_noisy", "clean_val": "val_clean", "oracle": "test_accuracy"}
    for rule, curve in rules.items():
        values = [-math.inf if value is None else value for value in curves[curve]]
        best = values.index(max(values)) if any(v is not None for v in curves[curve]) else None
        chosen[rule] = None if best is None else test[best]
        chosen[f"{rule}_epoch"] = None if best is None else best + 1
    return chosen


def cost(ended: Outcome | Exception, most: int | None) -> dict[str, Any]:
    """Images that went through networks, and the most memory held during the run, in MiB."""
    if isinstance(ended, Exception):
        return {}
    memory = {} if most is None else {"peak_memory": round(most / 2**20)}
    return {"cost": asdict(ended.cost), **memory}


def pace(ended: Outcome | Exception) -> dict[str, Any]:
    """Steps and seconds of the first epoch, from which the time of other runs is estimated."""
    first = ended.first_epoch if isinstance(ended, Outcome) else None
    if first is None:
        return {}
    return {"first_epoch": {"steps": first.steps, "seconds": round(first.seconds, 4)}}


def divergence(outcome: Outcome) -> dict[str, Any] | None:
    """The error of a run whose loss, weights or state are not finite; ``None`` of any other."""
    if outcome.diverged is None:
        return None
    what = "loss, weights or the method's state" if outcome.state else "loss or weights"
    message = f"{what} were not finite in epoch {outcome.diverged}"
    return {"epoch": outcome.diverged, "message": message, "traceback": None}


def failed(spec: RunSpec, error: Exception) -> RunRecord:
    """The record of a run that raised."""
    return RunRecord(
        spec=spec,
        status="failed",
        data_label=spec.dataset.name,
        error={
            "epoch": None,
            "message": f"{type(error).__name__}: {error}",
            "traceback": "".join(traceback.format_exception(error)),
        },
    )
