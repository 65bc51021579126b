"""The parts and the study of docs/own-parts.md work as written, in worker processes too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nlbench.benchmark.store.store import Store
from nlbench.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "own-parts.md").read_text("utf-8")
FILES = re.findall(r"^`(\w+\.(?:py|toml))`.*?```(?:python|toml)\n(.*?)```", PAGE, re.DOTALL | re.M)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the page's files; commands are given there."""
    for name, text in FILES:
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name, _ in FILES:
        sys.modules.pop(name.partition(".")[0], None)


def _commands(verb: str) -> list[list[str]]:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line.split(" nlbench ") for line in block.splitlines()]
    assert all(before == "PYTHONPATH=." for before, _ in lines)
    return [words.split() for _, words in lines if words.startswith(f"{verb} ")]


def test_the_page_has_a_file_of_each_kind() -> None:
    assert [name for name, _ in FILES] == [
        "blocks.py",
        "narrow.py",
        "mirror.py",
        "signs.py",
        "lead.py",
        "shades.py",
        "parts.toml",
    ]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("words", _commands("check"), ids=" ".join)
def test_each_part_keeps_to_its_contract(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.endswith("all checks hold\n")


def test_the_study_is_trained_by_two_workers_and_reported(place: Path) -> None:
    (run,), (report,) = _commands("run"), _commands("report")
    path = os.pathsep.join([".", str(ROOT)])
    command = [sys.executable, "-m", "nlbench", *run, "--device", "cpu", "--workers", "2"]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, cwd=place, check=True)
    records = list(Store.open(place / "results" / "runs").records())
    assert [record.status for record in records] == ["ok"] * 4
    assert {len(record.part_sources) for record in records} == {5, 6}  # symmetric noise is ours
    assert all("metric lead:LEAD" in record.part_sources for record in records)
    assert main([*report, "--only", "leaderboard", "--workers", "1"]) == 0
    leads = [100 * record.evaluations["measures"]["lead:LEAD"] for record in records]
    board, runs = (
        pd.read_csv(place / "results" / "reports" / "parts" / f"{name}.csv")
        for name in ("leaderboard", "runs")
    )
    assert sorted(runs["measure_lead:LEAD"]) == pytest.approx(sorted(leads), abs=1e-3)
    assert board["lead:LEAD_mean"].dropna().mean() == pytest.approx(np.mean(leads), abs=1e-3)
