"""The command line: what a user types, what comes out, and no traceback for any mistake."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlbench.benchmark.store.store import Store
from nlbench.cli import main
from tests.helpers.runs import STUDY


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def cut(study: Path, tmp_path: Path) -> list[str]:
    """Two short runs, serial, into an own folder."""
    words = ["run", str(study), "--results", str(tmp_path / "results"), "--workers", "1"]
    return [*words, "--seeds", "0", "--noise", "symmetric:0.4", "--methods", "ce,drainage"]


def test_run_status_report(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(cut(study, tmp_path)) == 0
    assert "[2/2]" in capsys.readouterr().err
    assert main(cut(study, tmp_path)) == 0
    assert "[1/" not in capsys.readouterr().err
    assert main(["status", str(study), "--results", str(tmp_path / "results")]) == 0
    out = capsys.readouterr().out
    assert "1/2" in out
    assert "2 of 12 runs" in out
    assert main(["report", str(study), "--results", str(tmp_path / "results")]) == 0
    assert (tmp_path / "results" / "reports" / "study" / "part" / "index.md").is_file()


def test_dry_run_writes_nothing(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*cut(study, tmp_path), "--dry-run"]) == 0
    assert "2 runs to train" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "quik"], "quik.*quick"),
        (["run", "nowhere/mine.toml"], "no such file"),
        (["run", "quick", "--methods", "gcee"], "gcee.*gce"),
        (["run", "quick", "--noise", "symmetric:2"], "symmetric"),
        (["run", "quick", "--noise", "symmetric:0.3"], "symmetric:0.3"),
        (["run", "quick", "--seeds", "a-b"], "a-b"),
        (["run", "quick", "--seeds", "17"], "17"),
        (["run", "quick", "--profile", "offical"], "offical.*official"),
        (["run", "quick", "--profile", "official"], "matched"),
        (["run", "quick", "--device", "tpu9"], "tpu9"),
        (["run", "quick", "--device", "meta"], "meta"),
        (["run", "quick", "--workers", "many"], "many"),
        (["run", "quick", "--workers", "999"], "999"),
        (["run", "quick", "--workers", "1", "--executor", "lokky"], "lokky.*loky"),
        (["status", "quick"], "does not exist"),
        (["report", "quick"], "does not exist"),
        (["list", "nose"], "nose.*noise"),
        (["bench", "nose"], "nose.*noise"),
        (["noise", "inspect", "missing.npz"], "missing.npz"),
        (["noise", "make", "symmetric:1.5", "--dataset", "digits", "--out", "x.npz"], "1.5"),
        (["noise", "make", "pair:0.6", "--dataset", "digits", "--out", "x.npz"], "0.6"),
        (["noise", "make", "clean", "--dataset", "digit", "--out", "x.npz"], "digit.*digits"),
        (["noise", "make", "clean", "--dataset", "npz:no", "--out", "x.npz"], "no.npz"),
        (
            ["noise", "make", "clean", "--dataset", "digits", "--seed", "-1", "--out", "x.npz"],
            "seed",
        ),
    ],
)
def test_every_mistake_is_one_line_and_status_2(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("nlbench: ")
    assert re.search(says, lines[0]), lines[0]
    assert not list(tmp_path.rglob("*.json"))


def test_a_foreign_folder_as_store_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "notes.txt").touch()
    assert main(["run", "quick", "--results", str(tmp_path)]) == 2
    assert "notes.txt" in capsys.readouterr().err


BAD_ARRAYS: dict[str, dict[str, Any]] = {
    "not finite": {"x_train": np.full((40, 4), np.nan, np.float32)},
    "y_train": {"y_train": np.arange(39) % 2},
    "class": {"y_train": np.r_[np.zeros(39, int), 2]},
    "x_test": {"x_test": np.zeros((10, 5), np.uint8)},
}


@pytest.mark.parametrize("what", BAD_ARRAYS)
def test_bad_arrays_are_refused_before_training(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays: dict[str, Any] = {
        "x_train": np.zeros((40, 4), np.uint8),
        "y_train": np.arange(40) % 2,
        "x_test": np.zeros((10, 4), np.uint8),
        "y_test": np.arange(10) % 2,
    }
    np.savez(tmp_path / "mine.npz", **{**arrays, **BAD_ARRAYS[what]})
    text = STUDY.replace('name = "digits"', 'name = "npz:mine"')
    (tmp_path / "s.toml").write_text(text)
    words = ["run", str(tmp_path / "s.toml"), "--data", str(tmp_path), "--workers", "1"]
    assert main([*words, "--results", str(tmp_path / "results")]) == 2
    assert what in capsys.readouterr().err
    assert not list(Store.open(tmp_path / "results" / "runs").ids())


def test_no_network_and_no_data_is_said_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "cifar10", "--data", str(tmp_path), "--no-download", "--device", "cpu"]
    assert main([*words, "--results", str(tmp_path / "results")]) == 2
    assert "cifar10" in capsys.readouterr().err


def test_a_truncated_idx_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x01"))
    words = ["noise", "make", "clean", "--dataset", "mnist", "--data", str(tmp_path)]
    assert main([*words, "--out", str(tmp_path / "x.npz")]) == 2
    assert "mnist" in capsys.readouterr().err


def test_list_and_doctor_and_every_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for word in ("drainage", "symmetric", "fashion_mnist", "cnn8", "quick"):
        assert word in out
    for command in ("run", "status", "report", "noise", "list", "doctor", "bench"):
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        assert "examples:" in capsys.readouterr().out


def test_python_dash_m_benchmark_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nlbench", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("nlbench ")
