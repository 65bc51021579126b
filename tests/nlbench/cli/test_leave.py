"""``nlbench run --checkpoint`` that is told of its end leaves the rest to the next call."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from nlbench.benchmark.store.store import Store
from nlbench.benchmark.training.checkpoint import Checkpoint
from nlbench.cli.leave import ASKING
from nlbench.cli.main import main

SUITE = """
methods = ["ce", "gce"]
noise = ["symmetric:0.4"]
seeds = 1
model = "mlp"
dataset = { name = "digits", train_per_class = 20 }
recipe = { epochs = 3, batch_size = 32, lr = 0.05 }
"""


@pytest.mark.parametrize("name", ASKING)
def test_a_signal_writes_a_checkpoint_and_the_next_call_goes_on(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.toml").write_text(SUITE)
    words = ["run", str(tmp_path / "study.toml"), "--device", "cpu", "--workers", "1"]
    words += ["--checkpoint", "60", "--results", str(tmp_path)]
    number, due = signal.Signals[name], Checkpoint.due

    def told(self: Checkpoint) -> bool:
        os.kill(os.getpid(), number)
        return due(self)

    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "due", told)
        assert main(words) == 128 + number
    assert signal.getsignal(number) == before
    said = capfd.readouterr().err
    assert f"nlbench: {name}: runs write a checkpoint" in said
    assert "0 ok, 0 diverged, 0 failed, 2 missing" in said
    assert len(list((tmp_path / "runs" / "checkpoints").iterdir())) == 1
    assert list((tmp_path / "runs" / "claims").iterdir()) == []
    assert main(words) == 0
    records = list(Store.open(tmp_path / "runs").records())
    assert sorted(record.timing.get("resumed", 0) for record in records) == [0, 1]
