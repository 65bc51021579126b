"""``nlbench.load``: the runs of a study as a table."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from nlbench.api.evaluated import evaluated
from nlbench.api.suites import Named, Seeds, Words, part_of, path_like, suite_of
from nlbench.benchmark import published
from nlbench.benchmark.store.results import store_in
from nlbench.reports.leaderboard.runs import listed
from nlbench.reports.read.frame import tidy
from nlbench.studies import Found, from_published, from_store


def load(
    study: Named,
    *,
    results: str | Path = "results",
    own: bool = False,
    methods: Words = (),
    noise: Words = (),
    seeds: Seeds = (),
    profile: str | None = None,
) -> pd.DataFrame:
    """Load the runs of a study, published or your own, a row per run.

    >>> import nlbench
    >>> runs = nlbench.load("quick", methods=["ce", "gce"], noise="symmetric:0.4")
    >>> runs.groupby("method")["last"].mean().round(2).to_dict()
    {'CE': 71.92, 'GCE': 90.79}

    Args:
        study: name of a study, folder of a published one, path of a suite's TOML file, or what
            such a file holds. What is published under a name comes before own runs of it.
        results: folder with ``published/`` and the store of runs.
        own: the runs of this machine, also of a study that is published.
        methods: only these, by name or as tables call them.
        noise: only these noise lines.
        seeds: only these.
        profile: ``matched`` or ``official`` instead of the suite's own; own runs only.

    Returns:
        The columns of runs.csv: accuracies in percent (``last``: at the last epoch), settings,
        fingerprints, versions. A run without a record has status ``missing`` and no accuracy.
        After them ``host``, the kind of machine where the record has it, and every number that a
        record holds beside accuracies, in percent (what is no share in hundredths) as in the CSV
        files of a report: ``measure_ece``, ``detection_loss_auroc`` (how well flipped labels are
        found by their loss), ``openset_msp_auroc``, ``test_set_NAME``.

    Raises:
        UserError, ReportError: both are a ValueError; there is no such study, or no record of it.

    Warns:
        UserWarning: a record that cannot be used.
    """
    root = Path(results)
    found = _found(study, root, own, profile, (methods, noise, seeds))
    return table(found)


def table(found: Found) -> pd.DataFrame:
    """The rows of runs.csv, kinds of machines, and what else records hold of each run."""
    frame = tidy(found.study, found.intake)
    runs = listed(frame.runs).assign(host=frame.runs["host"]).join(evaluated(frame))
    runs.attrs["study"] = found.study.name
    return runs


def warn(line: str) -> None:
    """Tell the user something beside the result."""
    warnings.warn(line, stacklevel=2)


def _found(
    study: Named,
    results: Path,
    own: bool,
    profile: str | None,
    part: tuple[Words, Words, Seeds],
) -> Found:
    if isinstance(study, str | Path) and not own and profile is None:
        folder = published.find(path_like(study), results)
        if folder is not None:
            known = published.read(folder)
            return from_published(known, part_of(known.suite, *part), warn)
    whole = suite_of(study, profile)
    return from_store(whole, part_of(whole, *part), store_in(results), warn)
