"""The method and the study of docs/own-method.md work as written, killed and resumed included."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nlbench.benchmark.store.store import Store
from nlbench.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "own-method.md").read_text("utf-8")
NAME = "patience:Patience"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the page's files; commands are given there."""
    for kind, name in (("python", "patience.py"), ("toml", "mine.toml")):
        assert f"`{name}`" in PAGE
        (tmp_path / name).write_text(_block(kind), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("patience", None)


def _block(kind: str) -> str:
    (text,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def _commands() -> list[list[str]]:
    """The words after `nlbench` of each line of the page's shell block."""
    lines = [line.split(" nlbench ") for line in _block("sh").splitlines()]
    assert all(before == "PYTHONPATH=." for before, _ in lines)
    return [words.split() for _, words in lines]


def _science(results: Path) -> dict[str, dict[str, Any]]:
    return {r.run_id: r.science() for r in Store.open(results / "runs").records()}


@pytest.mark.slow
def test_it_is_killed_resumes_to_the_same_bits_and_is_reported(place: Path) -> None:
    run, report = _commands()
    here = ["--device", "cpu", "--workers", "1", "--methods", "Patience", "--seeds", "0"]
    _kill_in_the_middle([*run, *here], place)
    assert main([*run, *here]) == 0
    whole = place / "whole"
    assert main([*run[:2], *here, "--results", str(whole)]) == 0
    assert _science(place / "results") == _science(whole)
    records = list(Store.open(place / "results" / "runs").records())
    assert sorted(record.timing.get("resumed", 0) for record in records) == [0, 1]
    assert {record.spec.method.name for record in records} == {NAME}
    assert main([*report, "--only", "leaderboard", "--workers", "1"]) == 0
    with (place / "results/reports/mine/part/leaderboard.csv").open("r", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["method_name"] == NAME]
    assert [json.loads(row["params"])["keep"] for row in rows] == [0.6, 0.8]
    assert all(float(row["mean"]) > 50.0 for row in rows)


def _kill_in_the_middle(words: list[str], place: Path) -> None:
    """Start a command and kill it once a run has a checkpoint and no record."""
    path = os.pathsep.join([".", str(ROOT)])
    command = [sys.executable, "-m", "nlbench", *words]
    running = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, cwd=place)
    runs, deadline = place / "results" / "runs", time.monotonic() + 300
    while time.monotonic() < deadline and not list(runs.glob("checkpoints/*.pt")):
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert list(runs.glob("checkpoints/*.pt"))
