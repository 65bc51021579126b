"""`nlbench submit check` and `nlbench leaderboard add`, as they are typed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from nlbench.cli import main
from tests.helpers.submissions import OWN, RESULTS, own, packed, submitted

ORIGIN = ["--origin", "A. Author, https://example.org"]
OURS = ["--results", str(RESULTS)]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return packed(tmp_path / "records.tar.gz", submitted())


def test_check_says_what_holds_and_what_it_cannot_show(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["submit", "check", str(archive), *OURS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("ok  ") for line in lines) == 8
    assert lines[8].endswith("admitted (suite quick)")
    assert lines[9].startswith("A digest is no signature")


def test_check_fails_with_the_line_that_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = packed(tmp_path / "a.tar.gz", [r for r in submitted() if r.spec.seed != 2])
    assert main(["submit", "check", str(path), *OURS, "--suite", "quick"]) == 1
    out = capsys.readouterr().out
    assert "FAILED  seeds: ce on digits, clean: no run of seed 2;" in out
    assert "FAILED  seeds: and 4 more; --json names all" in out
    assert "not admitted, 1 check failed" in out
    assert main(["submit", "check", str(path), *OURS, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["admitted"] is False
    failed = [check for check in found["checks"] if check["status"] == "failed"]
    assert [check["name"] for check in failed] == ["seeds"]
    assert len(failed[0]["problems"]) == 8  # two methods in four conditions


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"no archive")
    assert main(["submit", "check", str(tmp_path / "a.tar.gz"), *OURS]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_name_of_theirs_says_nothing_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = packed(tmp_path / "a.tar.gz", [own(r, "a\x1b[2J:B") for r in submitted()])
    assert main(["submit", "check", str(path), *OURS, "--suite", "quick"]) == 1
    out = capsys.readouterr().out
    assert "a?[2J:B" in out
    assert "\x1b" not in out


def test_add_begins_with_our_rows_and_marks_every_row(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "board.csv"
    add = ["leaderboard", "add", str(archive), "--to", str(board), *OURS]
    assert main([*add, *ORIGIN]) == 0
    assert "begun with 12 published rows of suite quick" in capsys.readouterr().out
    with board.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["origin"] for row in rows] == ["nlbench"] * 12 + [ORIGIN[1]] * 8
    assert {row["method"] for row in rows[12:]} == {"CE", OWN}
    mine = {row["condition"]: row for row in rows if row["method"] == OWN}
    gce = {row["condition"]: row for row in rows if row["method"] == "GCE"}
    assert [row["mean"] for row in mine.values()] == [row["mean"] for row in gce.values()]
    assert [row["diff"] for row in mine.values()] == [row["diff"] for row in gce.values()]

    before = board.read_bytes()
    assert main([*add, *ORIGIN]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main([*add, "--origin", "B. Group, doi:10.1000/182"]) == 2
    assert "of origin A. Author" in capsys.readouterr().err
    assert main([*add, "--origin", "nobody"]) == 2
    assert "a URL or a DOI" in capsys.readouterr().err
    assert board.read_bytes() == before

    page = tmp_path / "board.html"
    assert main(["leaderboard", "page", str(board), "--out", str(page)]) == 0
    assert page.read_text("utf-8").count(OWN) == 1


def test_what_is_not_admitted_is_not_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    path = packed(tmp_path / "a.tar.gz", [r for r in submitted() if r.spec.method.name != "ce"])
    board = tmp_path / "board.csv"
    words = ["leaderboard", "add", str(path), "--to", str(board), "--suite", "quick"]
    assert main([*words, *OURS, *ORIGIN]) == 1
    assert "FAILED  baseline: no run of ce" in capsys.readouterr().err
    assert not board.exists()


def test_unmarked_leaderboards_are_left_alone(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = tmp_path / "board.csv"
    board.write_bytes((RESULTS / "published" / "quick" / "leaderboard.csv").read_bytes())
    before = board.read_bytes()
    assert main(["leaderboard", "add", str(archive), "--to", str(board), *OURS, *ORIGIN]) == 2
    assert "no column 'origin'" in capsys.readouterr().err
    assert board.read_bytes() == before
