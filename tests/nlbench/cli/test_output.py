"""Tables that fit the terminal; JSON of list, doctor, status and run; quiet runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlbench.cli import main, output

STUDY = """\
title = "Small"
methods = ["ce"]
noise = ["symmetric:0.4"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
train_per_class = 20
[recipe]
epochs = 1
lr = 0.05
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(STUDY)
    return "small.toml"


@given(st.lists(st.integers(1, 300), min_size=1, max_size=6), st.integers(1, 200))
def test_limits_add_up_to_the_width(widths: list[int], total: int) -> None:
    least = [min(8, width) for width in widths]
    limits = output.column_limits(widths, least, total)
    assert sum(limits) <= total or limits == least
    assert all(a <= b <= c for a, b, c in zip(least, limits, widths, strict=True))
    assert sum(widths) > total or limits == widths


@pytest.mark.parametrize("columns", [60, 100])
@pytest.mark.parametrize("what", ["suites", "methods", "noise", "datasets", "models"])
def test_lists_fit_the_terminal(
    what: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["list", what]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("columns", [60, 100])
def test_doctor_fits_the_terminal(
    columns: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = [("ok", "processor", "word " * 50), ("--", "data cifar10", "x" * 200)]
    monkeypatch.setattr("nlbench.cli.doctor._machine", lambda: iter(found))
    monkeypatch.setattr("nlbench.cli.doctor._data", lambda _: iter(()))
    monkeypatch.setenv("COLUMNS", str(columns))
    main(["doctor", "--results", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert sum(line.count("word") for line in lines) == 50


def test_lists_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "noise", "models", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["noise", "models"]
    assert "mlp" in [row["model"] for row in found["models"]]


def test_doctor_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ("ok", "device", "cpu"), ("--", "data x", "is not there"), ("!!", "disk", "0.1 GB")
    monkeypatch.setattr("nlbench.cli.doctor._machine", lambda: iter(found))
    monkeypatch.setattr("nlbench.cli.doctor._data", lambda _: iter(()))
    status = main(["doctor", "--json", "--results", str(tmp_path)])
    rows = json.loads(capsys.readouterr().out)
    assert status == 1
    assert [row["state"] for row in rows[:3]] == ["ok", "absent", "attention"]
    assert rows[0] == {"state": "ok", "what": "device", "found": "cpu"}


def test_run_and_status_as_json(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", study, "--device", "cpu", "--workers", "1", "--json", "-q"]
    assert main([*words, "--dry-run"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert (len(planned["todo"]), planned["done"]) == (2, 0)
    assert main([*words, "--seeds", "0"]) == 0
    said = capsys.readouterr()
    outcome = json.loads(said.out)
    assert said.err == ""
    assert (outcome["ok"], outcome["missing"], outcome["complete"]) == (1, 0, True)
    assert main(["status", study, "--json"]) == 0
    state = json.loads(capsys.readouterr().out)
    assert (state["runs"], state["done"], state["failures"]) == (2, 1, [])
    assert [(c["done"], c["expected"]) for c in state["cells"]] == [(1, 2)]


def test_a_quiet_run_says_nothing_and_no_output_has_colours(
    study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", study, "--device", "cpu", "--workers", "1"]
    assert main([*words, "--seeds", "0", "--quiet"]) == 0
    quiet = capsys.readouterr()
    assert (quiet.out, quiet.err) == ("", "")
    assert main(words) == 0
    assert main(["status", study]) == 0
    loud = capsys.readouterr()
    assert "2 ok" in loud.err
    assert "\x1b" not in loud.out + loud.err


def test_each_call_leaves_a_log(study: str, tmp_path: Path) -> None:
    words = ["run", study, "--device", "cpu", "--workers", "1", "-q"]
    assert main([*words, "--dry-run"]) == 0
    assert not (tmp_path / "results" / "logs").exists()
    assert main([*words, "--seeds", "0"]) == 0
    (log,) = (tmp_path / "results" / "logs").iterdir()
    text = log.read_text("utf-8")
    assert "1 of 1 runs to train" in text
    assert "[1/1] digits mlp ce symmetric:0.4 seed 0: " in text
    assert text.splitlines()[-1].endswith("1 ok, 0 diverged, 0 failed, 0 missing")


def test_results_without_room_for_a_log_are_as_complete(
    study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", study, "--device", "cpu", "--workers", "1"]
    assert main(words) == 0
    logs = tmp_path / "results" / "logs"
    shutil.rmtree(logs)
    logs.write_text("no folder")
    capsys.readouterr()
    assert main(words) == 0
    said = capsys.readouterr().err
    assert said.count(f"nlbench: no log in {logs}: ") == 1
    assert "2 ok" in said


def test_verbose_names_versions_machine_and_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "quick", "--methods", "ce", "--seeds", "0", "--noise", "clean"]
    assert main([*words, "-v", "--results", str(tmp_path), "--workers", "1"]) == 0
    said = capsys.readouterr().err
    for part in (f"torch {torch.__version__}", f"numpy {np.__version__}", str(tmp_path / "runs")):
        assert part in said
    (log,) = (tmp_path / "logs").iterdir()
    assert f"torch {torch.__version__}" in log.read_text("utf-8")
    assert main([*words, "-v", "-q"]) == 2
