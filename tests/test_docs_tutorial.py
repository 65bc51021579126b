"""The commands of docs/tutorial.md and docs/journeys.md are typed as they stand."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest

from nlbench.cli import main

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
JOURNEYS = (ROOT / "docs" / "journeys.md").read_text("utf-8")
# One process each, as a test: workers of an earlier one are in another folder.
MORE = {"run": ("--device", "cpu", "--workers", "1"), "report": ("--workers", "1")}
SET_UP = ["git clone", "cd nlbench", "make setup", "source .venv/bin/activate"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_tutorial_is_carried_out(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = _block(TUTORIAL, "toml")
    (place / "results.csv").write_text(_block(TUTORIAL, "csv"))
    said: list[list[str]] = []
    for command in _typed(TUTORIAL):
        seeds = 5 if [*said, command].count(["run", "first.toml"]) > 1 else 3
        (place / "first.toml").write_text(study.replace("seeds = 3", f"seeds = {seeds}"))
        # A second report tests nothing new, and doctor has tests of its own.
        if command[0] == "run" or (command[0] != "doctor" and command not in said):
            _carry_out(command)
        said.append(command)
    assert "12 runs to train" in capsys.readouterr().out
    assert len(list((place / "results" / "runs").rglob("*.json"))) == 20
    assert (place / "results" / "reports" / "first" / "accuracy.tex").exists()
    assert (place / "comparison" / "index.md").exists()


def test_its_lines_that_set_up_are_known() -> None:
    others = [line for line in _lines(TUTORIAL) if not line.startswith("nlbench ")]
    assert [line[: len(known)] for line, known in zip(others, SET_UP, strict=True)] == SET_UP


def test_its_lines_of_python_run() -> None:
    names: dict[str, list[str]] = {}
    exec(_block(TUTORIAL, "python"), names)
    assert sum(a != b for a, b in zip(names["labels"], names["noisy"], strict=True)) == 120


def test_a_loss_of_ones_own_leads_to_latex(place: Path) -> None:
    """Two files and two commands."""
    (place / "myloss.py").write_text(_block(JOURNEYS, "python"))
    (place / "mine.toml").write_text(_block(JOURNEYS, "toml"))
    first = _section(JOURNEYS, "## A loss of your own")
    commands = _typed(first)
    assert [command[0] for command in commands] == ["run", "report"]
    for command in commands:
        _carry_out(command)
    assert "My loss" in (place / "results/reports/mine/accuracy.tex").read_text("utf-8")


def test_a_published_number_is_checked(place: Path) -> None:
    (place / "results").mkdir()
    (place / "results" / "published").symlink_to(ROOT / "results" / "published")
    _, run = _typed(_section(JOURNEYS, "## A published number"))  # test_published.py makes reports
    _carry_out(run)
    (record,) = (place / "results" / "runs").rglob("*.json")
    made = record.read_text("utf-8")
    with (ROOT / "results" / "published" / "quick" / "runs.csv").open(encoding="utf-8") as file:
        (row,) = [row for row in csv.DictReader(file) if row["run_id"] == record.stem]
    for what in ("labels", "split", "init", "order"):
        assert f'"{row[f"pair_{what}"]}"' in made, what


def _carry_out(command: list[str]) -> None:
    assert main([*command, *MORE.get(command[0], ())]) == 0, command


def _section(text: str, title: str) -> str:
    return text.split(title)[1].split("\n## ")[0]


def _block(text: str, language: str) -> str:
    """The first code block of a language."""
    return text.split(f"```{language}\n")[1].split("```")[0]


def _lines(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def _typed(text: str) -> list[list[str]]:
    """The words of every `nlbench` command."""
    return [shlex.split(line)[1:] for line in _lines(text) if line.startswith("nlbench ")]
