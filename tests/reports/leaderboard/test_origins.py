"""Leaderboards of several origins: every row is marked, nothing comes in twice."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nlbench import reports
from nlbench.reports.errors import ReportError
from nlbench.reports.leaderboard import origins
from nlbench.reports.leaderboard.merge import merge
from nlbench.reports.leaderboard.origins import Origin
from nlbench.reports.render.files import to_csv
from nlbench.reports.site.origins import origins_page

Make = Callable[..., Any]
A = [90.0, 91.0, 90.5, 92.0, 91.5]
B = [88.1, 89.2, 88.3, 90.4, 89.4]
AUTHOR = Origin("A. Author", "https://example.org/a")
GROUP = Origin("B. Group", "doi:10.1000/182")


@pytest.fixture(name="table")
def _table(make_study: Make, tmp_path: Path) -> pd.DataFrame:
    values = {(m, line): v for line in ("clean", "pair:0.2") for m, v in (("ce", B), ("mine:M", A))}
    made = make_study(values)
    built = reports.build_report(made.study, made.records, tmp_path / "r", only="leaderboard")
    return built.leaderboard


def better(table: pd.DataFrame) -> pd.DataFrame:
    """Another's results: the same methods, half a point higher."""
    moved = table.copy()
    for name in ("mean", "min", "max", "ci_low", "ci_high", "median"):
        moved[name] += 0.5
    return moved


@pytest.mark.parametrize(
    ("text", "name", "link"),
    [
        ("A. Author, https://example.org/a", "A. Author", "https://example.org/a"),
        ("A, B and C, doi:10.1000/182", "A, B and C", "https://doi.org/10.1000/182"),
        ("B. Group, 10.1000/182", "B. Group", "https://doi.org/10.1000/182"),
    ],
)
def test_an_origin_is_a_name_and_a_place(text: str, name: str, link: str) -> None:
    origin = Origin.parse(text)
    assert (origin.name, origin.link, str(origin)) == (name, link, text)


@pytest.mark.parametrize(
    "text",
    ["", "A. Author", "https://example.org", "A, javascript:alert(1)", "A,\nhttps://example.org",
     "A" * 300 + ", https://example.org", ", https://example.org", "A, https://a b"],
)  # fmt: skip
def test_what_leads_nowhere_is_no_origin(text: str) -> None:
    with pytest.raises(ReportError, match="a URL or a DOI"):
        Origin.parse(text)


def test_nobody_is_nlbench_but_nlbench() -> None:
    with pytest.raises(ReportError, match="the project itself"):
        Origin.parse("NLbench, https://example.org")


def test_rows_of_two_origins_stand_beside_each_other(table: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "board.csv"
    first = origins.added([], table, AUTHOR, "a.tar.gz")
    file.write_text(to_csv(first))
    both = origins.added(origins.marked(file), better(table), GROUP, "b.tar.gz")
    assert both.columns[-1] == "origin"
    assert list(both["origin"].value_counts()) == [4, 4]
    assert not {"rank", "tie_group", "source"} & set(both.columns)
    file.write_text(to_csv(both))
    assert merge([file, file]).table["origin"].nunique() == 2  # `leaderboard merge` keeps them


def test_an_origin_adds_a_method_once(table: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "board.csv"
    file.write_text(to_csv(origins.added([], table, AUTHOR, "a")))
    with pytest.raises(ReportError, match=r"ce, clean of A. Author, .* is there already"):
        origins.added(origins.marked(file), better(table), AUTHOR, "b")


def test_the_same_rows_under_another_name_are_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "board.csv"
    file.write_text(to_csv(origins.added([], table, AUTHOR, "a")))
    with pytest.raises(ReportError, match=r"all 4 rows are there already, .* of origin A. Author"):
        origins.added(origins.marked(file), table, GROUP, "b")


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("suite_sha256", "f" * 64, "suite hash"),
        ("noise_fingerprints", "0:0000000000000000", "not the same labels"),
        ("mean", 101.0, "is not a percentage"),
    ],
)
def test_rows_that_do_not_fit_leave_everything_out(
    table: pd.DataFrame, tmp_path: Path, column: str, value: str | float, why: str
) -> None:
    file = tmp_path / "board.csv"
    file.write_text(to_csv(origins.added([], table, AUTHOR, "a")))
    other = better(table)
    other[column] = value
    with pytest.raises(ReportError, match=rf"{why}.*nothing was added"):
        origins.added(origins.marked(file), other, GROUP, "b")


def test_unmarked_rows_are_never_mixed_in(table: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "board.csv"
    file.write_text(to_csv(table))
    with pytest.raises(ReportError, match="no column 'origin'"):
        origins.marked(file)
    marked = origins.added([], table, AUTHOR, "a")
    marked.loc[2, "origin"] = ""
    file.write_text(to_csv(marked))
    with pytest.raises(ReportError, match=r"board.csv, line 4: origin '' should be"):
        origins.marked(file)


def test_an_origin_that_a_spreadsheet_would_compute_is_a_text(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    file, origin = tmp_path / "board.csv", Origin.parse("=1+1, https://example.org")
    file.write_text(to_csv(origins.added([], table, origin, "a")))
    with file.open(newline="") as text:
        cells = {row["origin"] for row in csv.DictReader(text)}
    assert cells == {"'=1+1, https://example.org"}
    with pytest.raises(ReportError, match="is there already"):
        origins.added(origins.marked(file), table, origin, "a")


def test_the_page_shows_whose_each_row_is(table: pd.DataFrame, tmp_path: Path) -> None:
    file, other = tmp_path / "board.csv", Origin.parse("<b>B</b>, https://example.org/b")
    named = better(table).replace({"method": {"mine:M": "<script>alert(1)</script>"}})
    file.write_text(to_csv(origins.added([], table, AUTHOR, "a")))
    both = origins.added(origins.marked(file), named, other, "b")
    file.write_text(to_csv(both))
    page = origins_page(origins.marked(file))
    assert '<a href="https://example.org/a">A. Author</a>' in page
    assert "&lt;b&gt;B&lt;/b&gt;" in page
    assert "<script>alert" not in page
    assert page.count("91.00 ± 0.79") == 2
    assert page == origins_page(origins.marked(file))
