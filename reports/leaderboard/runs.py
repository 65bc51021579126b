"""runs.csv: a row per expected run."""

from __future__ import annotations

import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.leaderboard.columns import measure_column
from nlbench.reports.read.fields import ALWAYS, FIELDS, IF_ANY
from nlbench.reports.text import DECIMALS

# What is known of a run whose accuracy was given.
GIVEN = ("method", "condition", "noise_type", "nominal_rate", "seed", "status")


def runs_table(results: Results) -> pd.DataFrame:
    """A row per expected run, accuracies in percent; missing runs have status ``missing``."""
    frame = results.frame.runs
    if results.study.given:
        return frame[[*GIVEN, results.rule]].round({results.rule: DECIMALS})
    return listed(frame).assign(**_measured(results))


def _measured(results: Results) -> dict[str, pd.Series]:
    """Column -> value of every run in hundredths, of the measures that the suite asks for."""
    run_ids = results.frame.runs["run_id"]
    columns = {}
    for metric in results.study.metrics:
        values: dict[str, float] = {}
        for block in results.blocks:
            for cell in results.measures[block.index, metric.name].values():
                values |= zip(cell.run_ids, cell.values, strict=True)
        numbers = run_ids.map(values).astype("float64")
        columns[measure_column(metric)] = numbers.round(DECIMALS)
    return columns


def listed(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of runs.csv, of the rows of :func:`nlbench.reports.read.frame.tidy`."""
    names = [
        field.name
        for field in FIELDS
        if field.listed == ALWAYS or (field.listed == IF_ANY and _any(frame[field.name]))
    ]
    return frame[names].round({field.name: DECIMALS for field in FIELDS if field.rounded})


def _any(column: pd.Series) -> bool:
    return bool((column.notna() & column.ne("")).any())
