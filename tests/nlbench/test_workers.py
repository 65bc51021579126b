"""The table of many workers has a row for each study and way; no second is asserted."""

from __future__ import annotations

import pytest

from nlbench import workers
from nlbench.cli import main


def test_the_command_simulates_what_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "task_cost", lambda: 0.01)
    words = ["--workers", "2,30", "--run-seconds", "0.5,60", "--seed", "4"]
    assert main(["bench", "workers", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(way in line for line in lines for way in ("dask", "store", "shards")) == 12
    assert main(["bench", "workers", "--workers", "0"]) == 2
    assert "--workers" in capsys.readouterr().err
    assert main(["bench", "workers", "--run-seconds", "-1"]) == 2
    assert "--run-seconds" in capsys.readouterr().err
