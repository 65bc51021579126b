"""``nlbench tune``: from trained records to a suite that can be run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite
from nlbench.cli.main import main

MINE = """
methods = ["ce", "gce"]
noise = ["symmetric:0.4"]
model = "mlp"
seeds = [0, 1]
[tune]
budget = 2
seeds = [7]
[dataset]
name = "digits"
train_per_class = 20
holdout = 0.2
[recipe]
epochs = 1
"""


def test_the_choice_is_made_from_records(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, out, results = tmp_path / "mine.toml", tmp_path / "out.toml", tmp_path / "results"
    mine.write_text(MINE)
    assert main(["run", str(mine), "--results", str(results), "--workers", "1"]) == 0
    assert main(["tune", str(mine), "--results", str(results), "--out", str(out)]) == 0
    tried = {(s.method, s.recipe.lr) for s in suite.load(str(mine)).specs}
    settled = suite.load(str(out))
    assert {(s.method, s.recipe.lr) for s in settled.specs} <= tried
    assert [(s.method.name, s.seed, s.profile) for s in settled.specs] == [
        ("ce", 0, "tuned"), ("gce", 0, "tuned"), ("ce", 1, "tuned"), ("gce", 1, "tuned"),
    ]  # fmt: skip
    assert "another source" not in capsys.readouterr().err
    store = Store.open(results / "runs")
    store.write(replace(next(store.records()), method_source="version 2"))
    assert main(["tune", str(mine), "--results", str(results), "--out", str(out)]) == 0
    assert (
        "1 record was made by another source (version 2; now version 1)" in capsys.readouterr().err
    )
    assert main(["tune", "quick", "--results", str(results), "--out", str(out)]) == 2
    assert "no table [tune]" in capsys.readouterr().err
