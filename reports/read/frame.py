"""One tidy frame behind every output: a row per expected run, run or not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nlbench.benchmark.spec.matched import Equal
from nlbench.benchmark.spec.noise_line import drawn_line
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.read.extract import Intake, gather
from nlbench.reports.read.fields import COLUMNS, FIELDS, TEXT, WHOLE
from nlbench.reports.read.names import (
    MATCHED,
    BlockKey,
    block_keys,
    method_labels,
    noise_name,
)
from nlbench.reports.read.packed_json import PackedJson
from nlbench.reports.read.study import Study
from nlbench.reports.sources import source_warnings

_MISSING = tuple("missing" if name == "status" else None for name in COLUMNS)


@dataclass(frozen=True)
class Frame:
    """What the reports compute from.

    Attributes:
        runs: a row per expected run in the declared order; accuracies in percent, NaN where there
            is none. A diverged run has chance level, 100 / K, under every accuracy rule that its
            study has: that is what a network with non-finite weights scores on a balanced test
            set, and leaving it out would reward a method for its failures. A failed or missing run
            has no accuracy: its cell is incomplete.
        blocks: the comparable blocks in the declared order; ``runs.block`` is the index.
        curves: run id -> (len(CURVES), epochs) float32, NaN where a curve has no value.
        correct: run id -> packed bits of the test images that the last epoch got right.
        warnings: what the reader of the records noticed, a line each.
        evaluations: run id -> packed ``RunRecord.evaluations``, see
            :mod:`nlbench.reports.read.packed_json`.
    """

    runs: pd.DataFrame
    blocks: tuple[BlockKey, ...]
    curves: dict[str, NDArray[np.float32]]
    correct: dict[str, NDArray[np.uint8]]
    warnings: tuple[str, ...]
    evaluations: Mapping[str, PackedJson] = field(default_factory=dict)


def tidy(study: Study, records: Iterable[RunRecord] | Intake) -> Frame:
    """Join what was declared with what was run.

    Args:
        study: the declared runs.
        records: in any order; those that the study does not declare are left out and counted. Or
            what :func:`nlbench.reports.read.reader.read` took in.

    Raises:
        ReportError: no record belongs to the study.
    """
    intake = records if isinstance(records, Intake) else gather(study, records)
    keys = block_keys(study.specs)
    columns: dict[str, Any] = {**_declared(study, keys), **_recorded(study, intake)}
    columns["noise_drawn"] = _drawn(study, columns["noise_drawn"])
    runs = typed(columns)
    found = intake.taken.items()
    return Frame(
        runs=runs,
        blocks=tuple(dict.fromkeys(keys)),
        curves={run_id: t.curves for run_id, t in found if t.curves is not None},
        correct={run_id: t.correct for run_id, t in found if t.correct is not None},
        warnings=_warnings(study, runs, intake, keys),
        evaluations={run_id: t.evaluations for run_id, t in found if t.evaluations is not None},
    )


def _declared(study: Study, keys: Sequence[BlockKey]) -> dict[str, list[Any]]:
    """What the study declares about its runs, column by column."""
    specs = study.specs
    blocks = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    noise = {line: noise_name(line) for line in {spec.noise for spec in specs}}
    # By identity: settings 1 and 1.0 are equal, but not the same text.
    texts = {id(spec.method): spec.method for spec in specs}
    params = {at: json.dumps(m.values, sort_keys=True) for at, m in texts.items()}
    recipes = {id(spec.recipe): str(Equal.of(spec.recipe)) for spec in specs}
    return {
        "run_id": [spec.run_id for spec in specs],
        "block": [blocks[key] for key in keys],
        "dataset": [spec.dataset.group for spec in specs],
        "train_per_class": [spec.dataset.train_per_class for spec in specs],
        "holdout": [spec.dataset.holdout for spec in specs],
        "model": [spec.model for spec in specs],
        "profile": [key.profile for key in keys],
        "method": method_labels(specs, study.titles, keys),
        "method_name": [spec.method.name for spec in specs],
        "params": [params[id(spec.method)] for spec in specs],
        "recipe": [recipes[id(spec.recipe)] for spec in specs],
        "condition": [spec.noise for spec in specs],
        "noise_type": [noise[spec.noise].type for spec in specs],
        "nominal_rate": [noise[spec.noise].rate for spec in specs],
        "seed": [spec.seed for spec in specs],
    }


def _recorded(study: Study, intake: Intake) -> dict[str, tuple[Any, ...]]:
    """What the records hold, column by column; runs without one have status ``missing``."""
    taken = intake.taken
    rows = [taken[s.run_id].row if s.run_id in taken else _MISSING for s in study.specs]
    return dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))


def _drawn(study: Study, recorded: Sequence[str | None]) -> list[str]:
    """The noise lines with all options; of what has not been run, as the data set settles them."""
    pairs = [
        (line or spec.noise, spec.dataset.name)
        for line, spec in zip(recorded, study.specs, strict=True)
    ]
    lines = {pair: drawn_line(*pair) for pair in set(pairs)}
    return [lines[pair] for pair in pairs]


def typed(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """The frame's rows from its columns; those that are not among them have no value.

    Numbers as numbers, and what is known of a block filled into the rows of its missing runs.
    """
    nothing = [None] * len(columns["run_id"])
    empty = {name: nothing for name in (*(f.name for f in FIELDS), *COLUMNS) if name not in columns}
    runs = pd.DataFrame({**columns, **empty})
    # A named type such as human:worse states no rate; its records do.
    known = pd.to_numeric(runs["recorded_rate"]).groupby(runs["condition"]).transform("max")
    runs["nominal_rate"] = pd.to_numeric(runs["nominal_rate"]).fillna(known)
    for column in FIELDS:
        if column.kind != TEXT:
            numbers = pd.to_numeric(runs[column.name])
            whole = column.kind == WHOLE
            runs[column.name] = numbers.astype("Int64") if whole else numbers.astype("float64")
    runs["num_classes"] = runs.groupby("dataset")["num_classes"].transform("max")
    labels = runs.dropna(subset=["data_label"]).groupby("block")["data_label"].min()
    filled = runs["block"].map(labels).fillna(runs["dataset"])
    runs["data_label"] = runs["data_label"].fillna(filled)
    return runs.drop(columns="recorded_rate")


def _warnings(
    study: Study, runs: pd.DataFrame, intake: Intake, keys: Sequence[BlockKey]
) -> tuple[str, ...]:
    lines = list(intake.warnings)
    lines += [
        f"the suite calls runs matched that differ between methods: they are {profile}"
        for profile in dict.fromkeys(key.profile for key in keys)
        if profile.startswith(f"not {MATCHED}")
    ]
    for status, what in (
        ("missing", "have not been run yet"),
        ("failed", "raised an error and have no accuracy"),
        ("diverged", "diverged; they count with chance accuracy (1/K)"),
    ):
        count = int((runs["status"] == status).sum())
        if count:
            lines.append(f"{count} of {len(runs)} runs {what}")
    lacking = runs["unmeasured"].dropna()
    if len(lacking):
        lines.append(
            f"{len(lacking)} of {len(runs)} runs lack a measure (column unmeasured of runs.csv),"
            f" the first of them: {lacking.iloc[0]}"
        )
    for block, rows in runs.groupby("block"):
        labels = sorted(set(rows["data_label"]))
        if len(labels) > 1:
            lines.append(f"block {block}: records of several data sets: {', '.join(labels)}")
    return (*lines, *source_warnings(runs, study.titles, study.sources))


def unpack(bits: NDArray[np.uint8], size: int) -> NDArray[np.bool_]:
    """PackedJson bits back to one boolean per test image."""
    return np.unpackbits(bits, count=size).astype(bool)
