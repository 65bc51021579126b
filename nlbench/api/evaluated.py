"""What records hold beside accuracies, as columns of a table: a number a run."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd

from nlbench.reports.read.frame import Frame
from nlbench.reports.read.packed_json import Path, Shapes, is_number
from nlbench.reports.text import DECIMALS

# First key of a record's evaluations -> how its columns begin.
PARTS = {
    "measures": "measure",
    "detection": "detection",
    "open_set": "openset",
    "test_sets": "test_set",
}
_LISTS_OF = {"criteria", "scores"}  # keys that only announce names
_COUNTS = {"samples", "flipped", "known", "unknown", "validation"}
_AS_SCORED = {"threshold"}  # in the units of the score


def evaluated(frame: Frame) -> pd.DataFrame:
    """A row per run of the frame, a column per number that records hold beside accuracies.

    Hundredths, as in the CSV files of a report; counts and thresholds as they are. A further test
    set gives a diverged run chance, as accuracies do; nothing else has a value for it.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for run_id, packed in frame.evaluations.items():
        alike[packed.shape].append(run_id)
    shapes, values = Shapes(), defaultdict[Path, dict[str, float]](dict)
    for run_ids in alike.values():
        nodes = shapes.nodes(frame.evaluations[run_ids[0]])
        for path, (shape, (place, _)) in nodes.items():
            if is_number(shape) and path[0] in PARTS:
                values[path] |= {i: float(frame.evaluations[i].numbers[place]) for i in run_ids}
    order = sorted(values, key=lambda path: (list(PARTS).index(path[0]), path))
    return pd.DataFrame({_name(p): _column(frame.runs, p, values[p]) for p in order})


def _name(path: Path) -> str:
    """``detection_loss_auroc`` of ``("detection", "criteria", "loss", "auroc")``."""
    return "_".join((PARTS[path[0]], *(key for key in path[1:] if key not in _LISTS_OF)))


def _column(runs: pd.DataFrame, path: Path, values: dict[str, float]) -> pd.Series:
    found = runs["run_id"].map(values).astype("float64")
    if path[-1] in _COUNTS and path[0] in ("detection", "open_set"):
        return found.astype("Int64")
    if path[-1] in _AS_SCORED and path[0] == "open_set":
        return found
    percent = (100 * found).round(DECIMALS)
    if path[0] == "test_sets":
        chance = 100 / runs["num_classes"].astype("float64")
        percent = percent.mask(runs["status"] == "diverged", chance.round(DECIMALS))
    return percent
