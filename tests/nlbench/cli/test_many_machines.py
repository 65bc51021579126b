"""What the command line has for several machines: shards, and no URL where a folder is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.results import store_in
from nlbench.benchmark.suites import suite
from nlbench.cli.main import main
from tests.helpers.records import sound


def test_shards_are_planned_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # in the tree all of it may have been trained
    counts = []
    for shard in ("1/7", "2/7", "7/7"):
        assert main(["run", "quick", "--dry-run", "--device", "cpu", "--shard", shard]) == 0
        counts.append(int(capsys.readouterr().out.split()[0]))
    assert counts == [9, 9, 8]


@pytest.mark.parametrize("option", ["--shard", "--begin"])
@pytest.mark.parametrize("part", ["0/3", "4/3", "3", "3/", "a/b", "1/3/5", "-1/3"])
def test_what_is_no_part_is_one_line(
    option: str, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "quick", "--dry-run", f"{option}={part}"]) == 2
    said = capsys.readouterr().err
    assert option in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "status", "report"])
def test_a_url_is_no_results_folder(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "quick", "--results", "s3://bucket/results"]) == 2
    assert "'s3://bucket/results' is a URL" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nor_from_python() -> None:
    with pytest.raises(UserError, match="is a URL"):
        store_in(Path("s3://bucket/results"), create=True)


def test_a_dry_run_says_what_preemption_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "quick", "--results", str(tmp_path), "--device", "cpu", "--methods", "ce"]
    words += ["--noise", "clean"]
    asks = [*words, "--dry-run", "--mean-time-between-preemptions"]
    assert main([*asks, "2h"]) == 0
    assert "preempted every 2:00:00 on average: no run of this suite" in capsys.readouterr().out
    record = sound(suite.load("quick").select(["ce"], ["clean"]).specs[0])
    store = store_in(tmp_path, create=True)
    store.write(replace(record, timing={**record.timing, "seconds": 5 * 3600.0}))
    assert main([*asks, "2h", "--keep-old"]) == 0
    assert (
        "preempted every 2:00:00 on average, a run of 5:00:00 takes 22:21:54 without checkpoints,"
    ) in capsys.readouterr().out
    assert main([*asks, "2s", "--keep-old", "--checkpoint", "0"]) == 0
    assert "takes more than a century without checkpoints" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["2h"], ["0s", "--dry-run"], ["soon", "--dry-run"]])
def test_a_mean_time_that_means_nothing_is_one_line(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "quick", "--mean-time-between-preemptions", *words]) == 2
    assert "--mean-time-between-preemptions" in capsys.readouterr().err
