"""From a table of accuracies to the results that every report is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nlbench.reports.compare.results import Results, analyse_frame
from nlbench.reports.errors import ReportError, unknown
from nlbench.reports.own_numbers.table import Run, Table
from nlbench.reports.read.fields import PAIRING
from nlbench.reports.read.frame import Frame, typed
from nlbench.reports.read.names import BlockKey, noise_name, pretty_condition
from nlbench.reports.read.study import Study
from nlbench.reports.text import listing, plural

RULE = "given"
PROFILE = "as given"
ASSUMED = "rows of one condition and seed, not proven by fingerprints"
PROVEN = "rows of one condition and seed whose fingerprints agree"
NOTES = 8  # lines about missing runs before the rest is only counted
REMEDY = "--common compares over the seeds that all methods of a condition have"


@dataclass(frozen=True)
class Wanted:
    """What to compare.

    Attributes:
        baseline: method that the others are compared with; ``None`` for the first of the table.
        difference: smallest difference that matters, in points.
        num_classes: for the level of chance; ``None`` if unknown: then no run is at chance level.
    """

    baseline: str | None = None
    difference: float = 0.5
    num_classes: int | None = None


def analyse_table(table: Table, wanted: Wanted = Wanted()) -> Results:
    """Analyse the table as the records of a study are.

    Rows of one condition and seed are a pair. Where the table has the fingerprints of runs, they
    must agree; else it is taken for granted.

    Raises:
        ReportError: one method, one seed, no pairs, an unknown baseline.
    """
    methods = table.methods
    baseline = methods[0] if wanted.baseline is None else wanted.baseline
    if baseline not in methods:
        raise unknown(f"baseline in {table.source}:", baseline, methods)
    if not wanted.difference > 0:
        raise ReportError(f"difference {wanted.difference:g}: should be points above 0")
    if wanted.num_classes is not None and wanted.num_classes < 2:
        raise ReportError(f"{wanted.num_classes} classes: should be 2 or more")
    _check_pairs(table)
    study = Study(
        name=table.name,
        title=f"Comparison of {table.source}",
        description="",
        specs=(),
        sha256=table.sha256,
        baseline=baseline,
        rope=wanted.difference,
        rule=RULE,
        given={
            "table": f"{table.source} (sha256 {table.sha256})",
            "accuracies": f"taken for {table.unit}",
            "pairing": PROVEN if _has_fingerprints(table) else ASSUMED,
            "runs": f"{sum(run.accuracy is not None for run in table.runs):,}",
            "seeds": " ".join(map(str, sorted({run.seed for run in table.runs}))),
            "columns not used": ", ".join(table.ignored) or "none",
        },
    )
    return analyse_frame(study, frame_of(table, wanted.num_classes), RULE)


def frame_of(table: Table, num_classes: int | None = None) -> Frame:
    """A row for every seed that a condition has, for every method that it has.

    What is not in the table has status ``missing``.
    """
    runs = _filled(table.runs)
    names = {line: noise_name(line) for line in {run.condition for run in runs}}
    columns: dict[str, Sequence[Any]] = {
        "run_id": [f"row {at}" for at in range(len(runs))],
        "block": [0] * len(runs),
        "dataset": [table.name] * len(runs),
        "holdout": [0.0] * len(runs),
        "data_label": [table.name] * len(runs),
        "model": [""] * len(runs),
        "profile": [PROFILE] * len(runs),
        "method": [run.method for run in runs],
        "method_name": [run.method for run in runs],
        "params": ["{}"] * len(runs),
        "recipe": [""] * len(runs),
        "noise_drawn": [""] * len(runs),
        "condition": [run.condition for run in runs],
        "noise_type": [names[run.condition].type for run in runs],
        "nominal_rate": [names[run.condition].rate for run in runs],
        "seed": [run.seed for run in runs],
        "status": ["missing" if run.accuracy is None else "ok" for run in runs],
        RULE: [run.accuracy for run in runs],
        "num_classes": [num_classes] * len(runs),
        **_pairing(table, runs),
    }
    key = BlockKey(table.name, None, 0.0, "", PROFILE)
    return Frame(typed(columns), (key,), {}, {}, tuple(_notes(table, runs)))


def _has_fingerprints(table: Table) -> bool:
    return any(run.pairing for run in table.runs)


def _pairing(table: Table, runs: Sequence[Run]) -> dict[str, list[str | None]]:
    """The fingerprints of every run; equal ones for one seed where the table has none."""
    if not _has_fingerprints(table):
        return {f"pair_{part}": [f"seed {run.seed}" for run in runs] for part in PAIRING}
    nothing = (None,) * len(PAIRING)
    found = [run.pairing or nothing for run in runs]
    return {f"pair_{part}": [one[at] for one in found] for at, part in enumerate(PAIRING)}


def _filled(given: Sequence[Run]) -> list[Run]:
    """The runs condition by condition, with those that are missing."""
    cells: dict[str, dict[str, dict[int, Run]]] = {}
    for run in given:
        cells.setdefault(run.condition, {}).setdefault(run.method, {})[run.seed] = run
    return [
        there.get(seed, Run(0, method, condition, seed, None))
        for condition, methods in cells.items()
        for seeds in [sorted({seed for there in methods.values() for seed in there})]
        for method, there in methods.items()
        for seed in seeds
    ]


def _notes(table: Table, runs: Sequence[Run]) -> Iterator[str]:
    """What is missing, cell by cell."""
    missing: dict[tuple[str, str], list[int]] = {}
    for run in runs:
        if run.accuracy is None:
            missing.setdefault((run.method, run.condition), []).append(run.seed)
    there = {(run.method, run.condition) for run in runs}
    for condition in dict.fromkeys(run.condition for run in runs):
        absent = [m for m in table.methods if (m, condition) not in there]
        if absent:
            yield f"no row of {listing(absent)} on {pretty_condition(condition)}"
    for (method, condition), seeds in list(missing.items())[:NOTES]:
        which = f"{'seed' if len(seeds) == 1 else 'seeds'} {listing(list(map(str, seeds)))}"
        yield f"missing: {method} on {pretty_condition(condition)}, {which}"
    if len(missing) > NOTES:
        yield f"runs of {plural(len(missing) - NOTES, 'further cell')} are missing"
    if missing:
        yield f"cells with missing runs are shown but not compared; {REMEDY}"


def _check_pairs(table: Table) -> None:
    """Refuse a table in which nothing can be compared."""
    if len(table.methods) < 2:
        raise ReportError(f"{table.source}: one method ({table.methods[0]}), nothing to compare")
    seeds: dict[str, dict[str, set[int]]] = {}
    for run in table.runs:
        if run.accuracy is not None:
            seeds.setdefault(run.condition, {}).setdefault(run.method, set()).add(run.seed)
    shared = _most_shared(seeds)
    if shared == 0:
        raise ReportError(
            f"{table.source}: no pairs: no two methods have a condition and a seed in common"
        )
    if shared == 1:
        raise ReportError(
            f"{table.source}: no two methods have more than one seed of a condition in common; one"
            " has no spread to test against, five are a start"
        )


def _most_shared(seeds: Mapping[str, Mapping[str, set[int]]]) -> int:
    """The largest number of seeds of a condition that two of its methods have in common."""
    return max(
        (
            len(mine & other)
            for methods in seeds.values()
            for at, mine in enumerate(methods.values())
            for other in list(methods.values())[:at]
        ),
        default=0,
    )
