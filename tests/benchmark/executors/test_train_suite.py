"""A suite is trained from Python as by the command line, and says what happened."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.rehearse import rehearse_suite
from nlbench.benchmark.executors.train_suite import train_suite
from nlbench.benchmark.reliability import study as small
from nlbench.benchmark.spec.canonical_json import canonical_json, sha256_of
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.benchmark.suites.suite import Suite
from nlbench.cli import main
from tests.helpers.records import as_failed

HOW = TrainOptions(device="cpu", workers=1)
SUITE = small.study(noise=["clean", "symmetric:0.4"], seeds=2)


@pytest.fixture
def study() -> Suite:
    return suites.parse(SUITE, "study", "study.toml")


def test_what_is_missing_is_trained_and_counted(study: Suite, tmp_path: Path) -> None:
    part, said = study.select(seeds=[0]), io.StringIO()
    first = train_suite(part, tmp_path, HOW, said)
    assert first.complete
    assert first.counts == {"ok": 4}
    assert (len(first.before.todo), first.missing, first.failed) == (4, (), ())
    assert said.getvalue().startswith("study: 4 of 4 runs to train on ")
    assert "[4/4] " in said.getvalue()
    assert {r.run_id for r in Store.open(tmp_path / "runs").records()} == {
        spec.run_id for spec in part.specs
    }
    rest = train_suite(study, tmp_path, HOW, io.StringIO())
    assert rest.counts == {"ok": 8}
    assert {spec.seed for spec in rest.before.todo} == {1}
    nothing = io.StringIO()
    assert train_suite(study, tmp_path, HOW, nothing).complete
    assert nothing.getvalue() == ""


def test_records_are_those_of_the_command(study: Suite, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(SUITE)
    words = ["run", str(tmp_path / "study.toml"), "--results", str(tmp_path / "command")]
    assert main([*words, "--device", "cpu", "--workers", "1", "--seeds", "1"]) == 0
    train_suite(study.select(seeds=[1]), tmp_path / "python", HOW, io.StringIO())
    one, other = (
        {r.run_id: r.science() for r in Store.open(tmp_path / name / "runs").records()}
        for name in ("command", "python")
    )
    assert len(one) == 4
    assert one == other


def test_what_is_not_begun_is_missing_and_a_method_is_repeated_by_name(
    study: Suite, tmp_path: Path
) -> None:
    part = study.select(seeds=[0], noise=["clean"])
    late = train_suite(part, tmp_path, replace(HOW, minutes=-1.0), io.StringIO())
    assert not late.complete
    assert late.missing == part.specs
    train_suite(part, tmp_path, HOW, io.StringIO())
    again = replace(HOW, force=("GCE",))
    assert [s.method.name for s in rehearse_suite(part, tmp_path, again).plan.todo] == ["gce"]
    assert len(rehearse_suite(part, tmp_path, replace(HOW, force=())).plan.todo) == 2
    with pytest.raises(UserError, match="sce"):
        train_suite(part, tmp_path, replace(HOW, force=("sce",)), io.StringIO())
    kept = train_suite(part, tmp_path, replace(again, minutes=-1.0), io.StringIO())
    assert kept.not_repeated == 1
    assert kept.complete


def test_a_failed_run_is_told_from_a_missing_one(study: Suite, tmp_path: Path) -> None:
    part = study.select(seeds=[0], noise=["clean"])
    train_suite(part, tmp_path, HOW, io.StringIO())
    store = Store.open(tmp_path / "runs")
    record = next(store.records())
    store.write(as_failed(record))
    found = train_suite(part, tmp_path, HOW, io.StringIO())
    assert not found.complete
    assert [r.run_id for r in found.failed] == [record.run_id]
    assert found.missing == ()
    assert train_suite(part, tmp_path, replace(HOW, retry=True), io.StringIO()).complete


def test_a_record_that_is_not_read_is_left_alone_and_said(study: Suite, tmp_path: Path) -> None:
    part = study.select(seeds=[0], noise=["clean"])
    train_suite(part, tmp_path, HOW, io.StringIO())
    path = Store.open(tmp_path / "runs").path(part.specs[0].run_id)
    body = {**json.loads(path.read_text()), "schema": 99}
    del body["digest"]
    path.write_text(canonical_json({**body, "digest": sha256_of(body)}) + "\n")
    newer, said = path.read_bytes(), io.StringIO()
    found = train_suite(part, tmp_path, HOW, said)
    assert "left alone, neither run nor counted: " in said.getvalue()
    assert str(path) in said.getvalue()
    assert found.counts == {"ok": 1}
    assert not found.complete
    assert path.read_bytes() == newer


def test_a_rehearsal_makes_nothing_and_tells_the_time_left(study: Suite, tmp_path: Path) -> None:
    before = rehearse_suite(study, tmp_path / "new", HOW)
    assert before.rehearse() == []
    assert len(before.plan.todo) == 8
    assert before.seconds is None
    assert not (tmp_path / "new").exists()
    train_suite(study.select(seeds=[0]), tmp_path, HOW, io.StringIO())
    half = rehearse_suite(study, tmp_path, HOW)
    done = [r.timing["seconds"] for r in Store.open(tmp_path / "runs").records()]
    assert half.seconds == pytest.approx(sum(done))


@pytest.mark.parametrize(
    ("results", "in_the_way"),
    [("file", "file"), ("file/below", "file"), ("logs", "logs/logs"), ("link", "link")],
)
def test_a_rehearsal_refuses_where_nothing_can_be_written(
    study: Suite, tmp_path: Path, results: str, in_the_way: str
) -> None:
    (tmp_path / "logs").mkdir()
    for name in ("file", "logs/logs"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match=f"{tmp_path / in_the_way} is no folder"):
        rehearse_suite(study, tmp_path / results, HOW)
    assert {p.name for p in tmp_path.iterdir()} == {"file", "logs", "link"}


def test_a_rehearsal_refuses_a_folder_that_may_not_be_written_to(
    study: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is for users; tests may run as one who may write everywhere."""
    monkeypatch.setattr(
        os, "access", lambda path, how: (path, how) != (tmp_path, os.W_OK | os.X_OK)
    )
    with pytest.raises(UserError, match=f"{tmp_path} may not be written to"):
        rehearse_suite(study, tmp_path / "new", HOW)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mode": "quick"}, "quick.*strict"),
        ({"workers": 999}, "--workers 999"),
        ({"gpus": "all"}, "--gpus all"),
        ({"backend": "grap"}, "grap.*graph"),
    ],
)
def test_options_that_cannot_be_are_refused_before_a_store_is_made(
    study: Suite, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        train_suite(study, tmp_path / "new", replace(HOW, **change))  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
