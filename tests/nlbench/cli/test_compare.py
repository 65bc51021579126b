"""``nlbench compare`` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlbench.cli.main import main


def test_compare_writes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "results.csv"
    rows = [
        f"{m},sym 0.4,{s},{0.8 + s / 100 + (m == 'b') * s / 300}" for m in "ab" for s in (0, 1, 2)
    ]
    table.write_text("method,condition,seed,accuracy\n" + "\n".join(rows))
    words = ["compare", str(table), "--baseline", "b", "--difference", "1", "--workers", "1"]
    assert main([*words, "--only", "leaderboard", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "taken for fractions" in said
    assert "difference of 1 point " in said
    assert (tmp_path / "out/leaderboard.csv").is_file()


@pytest.mark.parametrize(
    "words", [["none.csv"], ["none.csv", "--unit", "x"], ["none.csv", "--workers", "0"]]
)
def test_bad_input_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("nlbench: ")
    assert said.count("\n") == 1
