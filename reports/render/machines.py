"""Machines: whether the runs of a study were made on several kinds, and who was compared across."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from nlbench.reports.text import plural

# What may change the last digits of a run, of what its record states about where it was made.
KIND = ("device", "torch", "threads")
_COMPARED = ["dataset", "model", "profile", "condition", "seed"]


def mixed(runs: pd.DataFrame) -> Mapping[str, str]:
    """Titles and words for the table of a study; empty where all machines are of one kind.

    Runs of a seed are compared with each other. On machines of several kinds their last digits
    differ, which grows over a training, so it is said in how many seeds methods were not trained
    on one kind. Labels, first weights and batches are the same on all.
    """
    where = runs[list(KIND)].astype("object").fillna("not recorded").astype(str)
    kind = where["device"] + ", torch " + where["torch"] + ", threads " + where["threads"]
    counts = kind.value_counts().sort_index()
    if len(counts) < 2:
        return {}
    kinds = [f"{name} ({plural(int(count), 'run')})" for name, count in counts.items()]
    across = runs[_COMPARED].assign(kind=kind).groupby(_COMPARED)["kind"].nunique() > 1
    return {
        "machines of several kinds": "; ".join(kinds),
        "compared across kinds": f"methods in {int(across.sum()):,} of"
        f" {plural(len(across), 'pair')} of condition and seed",
    }
