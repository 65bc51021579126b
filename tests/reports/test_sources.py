"""Reports name the methods whose numbers several sources made, or another one than there is."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from nlbench.reports.compare.results import analyse
from nlbench.reports.leaderboard.runs import runs_table
from nlbench.reports.read.frame import tidy
from nlbench.reports.speed.made_up_records import declared, made_up

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def said(made: list[str], now: str | None) -> list[str]:
    """What is said of a study in which these sources, run by run in turn, made GCE."""
    study = declared(60)
    if now is not None:
        sources = dict.fromkeys((spec.method.name for spec in study.specs), "")
        study = replace(study, titles={"gce": "GCE"}, sources={**sources, "gce": now})
    turn = itertools.cycle(made)
    records = [
        replace(record, method_source=next(turn)) if record.spec.method.name == "gce" else record
        for record in made_up(study)
    ]
    return [line for line in tidy(study, records).warnings if "source" in line]


@pytest.mark.parametrize(
    ("made", "now"),
    [([""], None), ([OLD], None), ([""], ""), ([OLD], OLD), (["version 2"], "version 2")],
)
def test_nothing_is_said_of_one_source(made: list[str], now: str | None) -> None:
    assert said(made, now) == []


@pytest.mark.parametrize(
    ("made", "now", "words"),
    [
        ([OLD, NEW], NEW, ["GCE: its numbers mix 2 sources", "sha256:aaaaaaaa", "sha256:bbbbbbbb"]),
        ([OLD, NEW], None, ["gce: its numbers mix 2 sources", "sha256:aaaaaaaa"]),
        ([OLD], NEW, ["made by another source", "sha256:aaaaaaaa; now it is sha256:bbbbbbbb"]),
        ([""], NEW, ["made by another source", "by a source that was not recorded"]),
        ([""], "version 2", ["made by another source", "by version 1; now it is version 2"]),
        (["version 2", ""], "", ["mix 2 sources", "by version 2; now it is version 1"]),
    ],
)
def test_another_source_is_named(made: list[str], now: str | None, words: list[str]) -> None:
    (line,) = said(made, now)
    assert all(word in line for word in words), line


def test_the_column_of_sources_is_there_only_where_one_was_recorded() -> None:
    study = declared(20)
    records = list(made_up(study))
    plain = runs_table(analyse(study, records))
    assert "method_source" not in plain
    assert plain.columns[-1] == "error"
    edited = [replace(record, method_source=NEW) for record in records]
    assert set(runs_table(analyse(study, edited))["method_source"]) == {NEW}
