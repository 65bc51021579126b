"""Merging leaderboards: what is taken, what is refused, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nlbench import reports
from nlbench.cli import main
from nlbench.reports.leaderboard.merge import merge

Make = Callable[..., Any]
A = [90.0, 91.0, 90.5, 92.0, 91.5]
B = [88.1, 89.2, 88.3, 90.4, 89.4]


@pytest.fixture(name="board")
def _board(make_study: Make, tmp_path: Path) -> Path:
    values = {(m, line): v for line in ("clean", "pair:0.2") for m, v in (("ce", B), ("gce", A))}
    made = make_study(values)
    reports.build_report(made.study, made.records, tmp_path / "mine", only="leaderboard")
    return tmp_path / "mine" / "leaderboard.csv"


def edit(board: Path, name: str, column: str, value: str, row: int = 1) -> Path:
    table = pd.read_csv(board, dtype=str, keep_default_na=False)
    table.loc[row, column] = value
    path = board.with_name(name)
    table.to_csv(path, index=False)
    return path


def test_one_file_is_itself_and_the_same_file_twice_adds_nothing(board: Path) -> None:
    once, twice = merge([board]), merge([board, board])
    assert len(once.table) == 4
    assert once.table.equals(twice.table)
    assert once.refused == twice.refused == ()
    assert "overall" not in set(once.table["scope"])


def test_another_persons_method_joins(board: Path) -> None:
    other = edit(board, "other.csv", "method", "mine")
    found = merge([board, other])
    assert found.refused == ()
    assert sorted(found.table["method"]) == ["ce", "ce", "gce", "gce", "mine"]


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("schema", "1", "schema '1' is not 2"),
        ("suite_sha256", "f" * 64, "suite hash 'ffffffffffff' is not"),
        ("mean", "91.0 ± 0.8", "mean = '91.0 ± 0.8' is not a number"),
        ("mean", "910", "mean = 910 is not a percentage"),
        ("sd", "nan", "sd = 'nan' is not a number"),
        ("sd", "-0.1", "sd = -0.1 is below 0"),
        ("diff_p_holm", "< 0.001", "diff_p_holm = '< 0.001' is not a number"),
        ("ci_low", "99", "mean = 91.0 is not between ci_low = 99 and ci_high ="),
        ("min", "-1", "min = -1 is not a percentage"),
        ("n", "2.5", "n = '2.5' is not between 0 and"),
        ("scope", "cell", "scope 'cell' should be condition or overall"),
        ("n", "7", "n = '7' is not between 0 and expected_n = '5'"),
        ("noise_fingerprints", "0:0000000000000000", "noise fingerprint of seed 0"),
        ("mean", "91.1", "gce is there already from"),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_the_reason(
    board: Path, column: str, value: str, why: str
) -> None:
    found = merge([board, edit(board, "other.csv", column, value)])
    assert len(found.table) == 4
    assert len(found.refused) == 1
    assert why in found.refused[0]
    assert "other.csv, line 3 (gce, clean)" in found.refused[0]


def test_files_that_are_no_leaderboard(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(reports.ReportError, match="column 'schema' is missing"):
        merge([tmp_path / "x.csv"])
    with pytest.raises(reports.ReportError, match=r"none\.csv: cannot be read"):
        merge([tmp_path / "none.csv"])
    with pytest.raises(reports.ReportError, match="no files given"):
        merge([])


def test_a_row_of_another_width_is_refused_with_its_line(board: Path) -> None:
    cut = board.with_name("cut.csv")
    lines = board.read_text().splitlines()
    cut.write_text("\n".join([lines[0], lines[1].rsplit(",", 2)[0], *lines[2:]]) + "\n")
    found = merge([cut])
    assert len(found.table) == 3
    assert len(found.refused) == 1
    assert f"{cut}, line 2: " in found.refused[0]
    assert (
        f"columns instead of the {len(lines[0].split(','))} of the first line" in found.refused[0]
    )


def test_what_was_merged_can_be_merged_again_and_keeps_its_sources(board: Path) -> None:
    other = edit(board, "other.csv", "method", "mine")
    once = merge([board, other])
    path = board.with_name("merged.csv")
    once.table.to_csv(path, index=False)
    again = merge([path])
    assert again.refused == ()
    assert list(again.table["source"]) == list(once.table["source"])
    assert set(again.table["source"]) == {str(board), str(other)}


def test_the_command_keeps_the_good_rest_and_says_that_something_was_refused(
    board: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, odd = board.with_name("out.csv"), edit(board, "odd.csv", "mean", "about 91")
    assert main(["leaderboard", "merge", str(board), "--out", str(out)]) == 0
    assert len(pd.read_csv(out)) == 4
    capsys.readouterr()
    assert main(["leaderboard", "merge", str(odd), str(board), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert f"nlbench: refused: {odd}, line 3 (gce, clean): mean = 'about 91' is not a" in said.err
    assert "4 rows of 2 files, 1 refused" in said.out
    assert list(pd.read_csv(out)["mean"].round(2)) == [89.08, 89.08, 91.0, 91.0]


def test_the_command_writes_nothing_where_nothing_is_left(board: Path) -> None:
    table = pd.read_csv(board, dtype=str, keep_default_na=False)
    table["schema"] = "7"
    table.to_csv(board, index=False)
    out = board.with_name("out.csv")
    assert main(["leaderboard", "merge", str(board), "--out", str(out)]) == 2
    assert not out.exists()


def test_a_strangers_formula_is_a_text_in_the_merged_file(board: Path) -> None:
    board = edit(board, "mine.csv", "diff", "-0.5")
    other = edit(board, "other.csv", "method", "=HYPERLINK(1)", row=2)
    both = board.with_name("both.csv")
    assert main(["leaderboard", "merge", str(board), str(other), "--out", str(both)]) == 0
    table = pd.read_csv(both, dtype=str, keep_default_na=False)
    assert "'=HYPERLINK(1)" in set(table["method"])
    assert not table.map(lambda cell: cell.startswith(("=", "@"))).any(axis=None)
    assert table["diff"].tolist().count("-0.5") == 1  # a number
    again = board.with_name("again.csv")
    assert main(["leaderboard", "merge", str(both), "--out", str(again)]) == 0
    assert again.read_bytes() == both.read_bytes()
