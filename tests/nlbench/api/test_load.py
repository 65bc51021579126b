"""The columns of ``nlbench.load`` beside those of runs.csv, against published tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nlbench
from nlbench.api.evaluated import evaluated
from nlbench.benchmark import published
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.leaderboard.runs import listed
from nlbench.reports.read.frame import tidy
from nlbench.studies import published_study

PUBLISHED = Path(__file__).resolve().parents[3] / "results" / "published"
OPEN_SET = PUBLISHED / "osr-fashion"


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return nlbench.load(OPEN_SET)


@pytest.mark.parametrize(
    ("file", "prefix", "by"),
    [("openset.csv", "openset", "score"), ("detection.csv", "detection", "criterion")],
)
def test_means_over_seeds_are_those_of_the_tables(
    runs: pd.DataFrame, file: str, prefix: str, by: str
) -> None:
    means = runs.groupby(["data_label", "method", "condition"]).mean(numeric_only=True)
    table = pd.read_csv(OPEN_SET / file)
    table = table[table["mean"].notna()]
    assert len(table) > 50
    for row in table.to_dict("records"):
        score = "rule" if row[by] == "own rule" else row[by]
        one = f"{prefix}_accuracy" if row["metric"] == "accuracy" else (
            f"{prefix}_{score}_{row['metric']}"
        )  # fmt: skip
        have = means.loc[(row["data_label"], row["method"], row["condition"]), one]
        assert have == pytest.approx(row["mean"], abs=2e-6), (one, row["method"])


def test_each_run_has_what_its_record_has(runs: pd.DataFrame) -> None:
    record = next(r for r in published.read(OPEN_SET).records() if isinstance(r, RunRecord))
    row = runs[runs["run_id"] == record.spec.run_id].iloc[0]
    for name, value in record.evaluations["measures"].items():
        assert row[f"measure_{name}"] == pytest.approx(100 * value, abs=1e-6)
    part = record.evaluations["open_set"]
    assert row["openset_known"] == part["known"] == 6000
    assert row["openset_msp_threshold"] == part["scores"]["msp"]["threshold"]
    assert str(runs["openset_unknown"].dtype) == "Int64"
    clean = runs[runs["condition"] == "clean"]  # nothing is flipped there
    assert clean.filter(like="detection_").isna().all(axis=None)
    assert not runs.filter(like="openset_drainage_auroc")[runs["method_name"] == "ce"].any(
        axis=None
    )


def test_a_diverged_run_has_chance_on_further_test_sets_and_no_measure() -> None:
    whole = published.read(PUBLISHED / "quick")
    records = [r for r in whole.records() if isinstance(r, RunRecord)][:2]
    found = replace(records[0], evaluations={"test_sets": {"far": 0.25}, "measures": {"ece": 0.5}})
    lost = replace(records[1], evaluations={}, status="diverged")
    frame = tidy(published_study(whole.suite, "quick"), [found, lost])
    table = evaluated(frame).set_index(frame.runs["run_id"])
    assert list(table.columns) == ["measure_ece", "test_set_far"]
    values = table.loc[[found.spec.run_id, lost.spec.run_id]].to_numpy()
    np.testing.assert_equal(values, [[50, 25], [np.nan, 10]])
    assert np.isnan(table.to_numpy()).sum() == 2 * len(table) - 3


def test_the_kind_of_machine_is_told_and_is_no_column_of_runs_csv(runs: pd.DataFrame) -> None:
    assert runs["host"].isna().all()  # of a study from before records had it
    whole = published.read(PUBLISHED / "quick")
    one = next(r for r in whole.records() if isinstance(r, RunRecord))
    made = replace(one, environment={**one.environment, "host": "a processor, 4 cores"})
    frame = tidy(published_study(whole.suite, "quick"), [made])
    assert frame.runs.set_index("run_id").loc[one.spec.run_id, "host"] == "a processor, 4 cores"
    assert "host" not in listed(frame.runs)
