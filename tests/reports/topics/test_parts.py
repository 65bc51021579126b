"""Parts of pages that topics share."""

from __future__ import annotations

import numpy as np
import pytest

from nlbench.reports.topics.parts import (
    SENTENCES,
    first_bullets,
    openings,
    section,
    spread,
    spread_of,
)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([90.0, 92.0], "91.00 ± 1.41"),
        ([90.0, np.nan, 92.0], "91.00 ± 1.41"),
        ([90.0], "90.00"),
        ([np.nan], "–"),
        ([], "–"),
    ],
)
def test_a_spread_has_what_the_values_allow(values: list[float], text: str) -> None:
    assert spread_of(np.array(values, dtype=np.float64)) == text


def test_a_spread_has_the_digits_asked_for() -> None:
    assert spread(0.1234, 0.056, 3) == "0.123 ± 0.056"


def test_a_long_list_says_where_the_rest_is() -> None:
    lines = [f"line {i}" for i in range(SENTENCES + 2)]
    text, rest = first_bullets(lines, "all.csv")
    assert text.count("\n") == SENTENCES - 1
    assert rest == "2 more: all.csv."
    assert first_bullets(["a*b"], "all.csv") == ["- a\\*b"]
    assert first_bullets([], "all.csv") == []


def test_names_are_repeated_only_after_another() -> None:
    assert list(openings(["ce", "ce", "gce", "ce"])) == [True, False, True, True]


def test_a_section_without_sentences_still_has_its_link() -> None:
    link = "Tables and all comparisons: [a.md](a.md)."
    assert section("A", "a.md", [], level=2) == ["## A", link]
    assert section("A", "a.md", ["b"], level=3) == ["### A", "- b", link]
