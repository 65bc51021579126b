"""The bench of the engines: counted operations, and a row for every way to train."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch

from benchmark import bench_engines


@pytest.mark.parametrize(("model", "gflop"), [("cnn8", 0.798), ("resnet18", 3.329)])
def test_counted_operations_are_those_counted_by_hand(model: str, gflop: float) -> None:
    """Three times the forward pass, less the first layer's gradient of the images."""
    assert bench_engines.training_flops(model) / 1e9 == pytest.approx(gflop, rel=0.005)


def test_rows_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_engines, "STEPS", {"cpu": 1})
    monkeypatch.setattr(bench_engines, "ROUNDS", 1)
    rows = bench_engines.run("cpu", tmp_path)
    assert [row["engine"] for row in rows] == [
        c.name for c in bench_engines.contestants(torch.device("cpu"))
    ]
    assert rows[0]["times plain"] == 1
    assert all(row["s/run"] * row["img/s"] == pytest.approx(6e6, rel=0.05) for row in rows)
    table = pd.read_csv(tmp_path / "engines.csv")
    assert list(table["engine"]) == [row["engine"] for row in rows]
    assert (tmp_path / "engines.png").stat().st_size > 1000


def test_a_gpu_is_compared_with_one_two_and_four_slots_compiled_or_not() -> None:
    names = [c.name for c in bench_engines.contestants(torch.device("cuda"))]
    assert {f"graph, {k} slot(s)" for k in (1, 2, 4)} <= set(names)
    assert any("compiled" in name for name in names)
