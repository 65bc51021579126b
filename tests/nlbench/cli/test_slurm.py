"""``nlbench slurm``: the script it prints trains what is missing, each run once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nlbench.benchmark.store.store import Store
from nlbench.cli.main import main
from tests.helpers import slurm_stub

SUITE = """
methods = ["ce", "gce"]
noise = ["symmetric:0.4"]
seeds = 3
model = "mlp"
dataset = { name = "digits", train_per_class = 20 }
recipe = { epochs = 2, batch_size = 32, lr = 0.05 }
"""
ARRAY = ["--array", "2", "--time", "10"]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command, in a folder of its own with the suite."""
    (tmp_path / "study.toml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return ["slurm", "study.toml", *ARRAY]


def test_the_tasks_of_the_array_train_each_run_once(
    study: list[str],
    tmp_path: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stub = slurm_stub.install(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{stub}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(repository))
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:1")
    assert main([*study, "--submit"]) == 0
    assert capsys.readouterr().out == "Submitted batch job 100\n"
    logs = [(stub / f"task-{task}.log").read_text() for task in (1, 2)]
    assert (stub / "statuses").read_text() == "0\n0\n", logs
    records = list(Store.open(tmp_path / "results" / "runs").records())
    assert [record.status for record in records] == ["ok"] * 6
    assert list((tmp_path / "results" / "runs" / "claims").iterdir()) == []
    assert main([*study, "--submit"]) == 0
    assert "nothing to submit" in capsys.readouterr().err


def test_only_what_is_missing_is_asked_for(
    study: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "study.toml", "--seeds", "0", "--workers", "1", "--device", "cpu"]) == 0
    assert main([*study[:3], "9", *study[4:], "--methods", "ce", "--seeds", "0-1"]) == 0
    text = capsys.readouterr().out
    assert "--array=1-1\n" in text
    assert f"run {tmp_path}/study.toml" in text
    assert f"--results {tmp_path}/results" in text
    assert "--methods ce" in text
    assert main([*study[:3], "9", *study[4:]]) == 0
    assert "--array=1-4\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--run=--force"], "slurm: --force is for one call"),
        (["--run=--dry-run"], "slurm: --dry-run is for one call"),
        (["--run=--scheduler tcp://127.0.0.1:1"], "slurm: --scheduler is for one call"),
        (["--run=--nosuch"], "--nosuch"),
        (["--run='"], "No closing quotation"),
        (["--gpus", "x"], "--gpus"),
        (["--time", "soon"], "--time 'soon'"),
        (["--array", "all"], "--array 'all'"),
        (["--seeds", "7"], "seed '7'"),
    ],
)
def test_what_cannot_be_is_one_line(
    study: list[str], words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*study, *words]) == 2
    said = capsys.readouterr()
    assert line in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
