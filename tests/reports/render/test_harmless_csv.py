"""Texts of strangers in CSV files: no spreadsheet computes them, numbers stay numbers."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlbench.reports.render.files import FORMULA, harmless_cell, to_csv


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "＝1", "-", "+-1"]
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text: str) -> None:
    assert harmless_cell(text) == f"'{text}"


@pytest.mark.parametrize("kept", ["-0.5", "+1e-3", "-1", "ce", "a=b", "", "'=1", -0.5, None, True])
def test_numbers_and_other_texts_stay(kept: object) -> None:
    assert harmless_cell(kept) is kept


def test_a_table_keeps_its_types_and_bytes() -> None:
    table = pd.DataFrame(
        {
            "n": pd.array([1, None], "Int64"),
            "x": [-0.5, None],
            "t": ["a,b", 'say "="'],
            "o": [1, None],
        }
    )
    assert to_csv(table) == table.to_csv(index=False, lineterminator="\n")
    table["o"] = pd.Series([1, "=x"], dtype="object")
    assert [row[3] for row in csv.reader(io.StringIO(to_csv(table)))] == ["o", "1", "'=x"]
    assert table["o"].tolist() == [1, "=x"]
    assert to_csv(pd.DataFrame({"=head": [1]})).startswith("'=head\n")
    assert to_csv(pd.DataFrame({"a": [], "b": []})) == "a,b\n"


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_any_text_comes_back_as_itself_or_with_an_apostrophe(rows: list[tuple[str, str]]) -> None:
    printable = [tuple(c.replace("\x00", "").replace("\r", "") for c in row) for row in rows]
    text = to_csv(pd.DataFrame(printable, columns=["a", "b"]))
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]
    for row, back in zip(printable, read, strict=True):
        for cell, found in zip(row, back, strict=True):
            assert found in (cell, f"'{cell}")
            assert not FORMULA.match(found) or float(found) is not None
