"""The one list of columns: the frame, what is kept of records, and runs.csv follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nlbench.reports.compare.results import analyse
from nlbench.reports.leaderboard.runs import runs_table
from nlbench.reports.read import extract, fields, frame
from nlbench.reports.read.extract import gather
from nlbench.reports.read.fields import FIELDS, RECORDED, Field

Make = Callable[..., Any]


def test_the_frame_has_every_column_with_its_type(make_study: Make) -> None:
    made = make_study({("ce", "clean"): [80.0, None], ("gce", "clean"): [81.0, 82.0]})
    runs = frame.tidy(made.study, made.records).runs
    # What nominal rates are taken from where a suite states none is not kept.
    listed = [field for field in FIELDS if field.name != "recorded_rate"]
    assert set(runs.columns) == {"block", *(field.name for field in listed)}
    assert len({field.name for field in FIELDS}) == len(FIELDS)
    for field in listed:
        assert field.kind in (str(runs[field.name].dtype), fields.TEXT), field.name


def test_an_entry_in_the_list_is_all_that_a_new_column_takes(
    make_study: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = Field("numpy", lambda record: record.environment.get("numpy"))
    recorded = (*RECORDED, (new.name, new.read))
    names = tuple(name for name, _ in recorded)
    # Where the list has gone to by the time these modules are imported.
    for module in (extract, frame):
        monkeypatch.setattr(module, "COLUMNS", names)
    monkeypatch.setattr(extract, "RECORDED", recorded)
    monkeypatch.setattr(frame, "FIELDS", (*FIELDS, new))
    monkeypatch.setattr("nlbench.reports.leaderboard.runs.FIELDS", (*FIELDS, new))
    made = make_study({("ce", "clean"): [80.0, 81.0], ("gce", "clean"): [81.0, 82.0]})
    made.records = [
        replace(r, environment={**r.environment, "numpy": f"2.{at}"})
        for at, r in enumerate(made.records)
    ]
    assert gather(made.study, made.records).taken[made.records[3].run_id].row[-1] == "2.3"
    assert runs_table(analyse(made.study, made.records))["numpy"].tolist() == [
        "2.0", "2.1", "2.2", "2.3",
    ]  # fmt: skip
