"""The AUROC of the first screen: the numbers and best sets of openset.csv."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from nlbench.benchmark import published
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.highlight import Highlight
from nlbench.reports.text import number
from nlbench.reports.topics.open_set.find import SCORES
from nlbench.reports.topics.registry import Topics
from nlbench.studies import published_study

PUBLISHED = Path(__file__).resolve().parents[4] / "results" / "published"


def results_of(name: str) -> Results:
    found = published.read(PUBLISHED / name)
    records = [record for record in found.records() if not isinstance(record, str)]
    return analyse(published_study(found.suite, found.command), records)


@pytest.fixture(scope="module")
def highlights() -> tuple[Highlight, ...]:
    return Topics(results_of("osr-fashion")).highlights


def test_table_and_best_sets_are_those_of_the_csv(highlights: tuple[Highlight, ...]) -> None:
    csv = pd.read_csv(PUBLISHED / "osr-fashion" / "openset.csv")
    csv = csv[(csv["declared"] == 1) & (csv["metric"] == "auroc")]
    assert {h.title for h in highlights} == set(csv["unknowns"])
    for found in highlights:
        mine = csv[csv["unknowns"] == found.title]
        expected = {}
        for row in mine.to_dict(orient="records"):
            label = f"{row['method']} ({SCORES[str(row['score'])]})"
            value = f"{number(row['mean'], 1)} ± {number(row['sd'], 1)}"
            place = label, pretty_condition(str(row["condition"]))
            expected[place] = value, row["in_best_set"] == 1
        shown = {
            (row[0], found.headers[x]): (cell, (y, x) in found.strong)
            for y, row in enumerate(found.rows)
            for x, cell in enumerate(row)
            if x
        }
        assert shown == expected


def test_line_names_the_best_sets_and_counts_the_verdicts(
    highlights: tuple[Highlight, ...],
) -> None:
    csv = pd.read_csv(PUBLISHED / "osr-fashion" / "openset-comparisons.csv")
    csv = csv[csv["question"] == "baseline"]
    for found in highlights:
        words = csv[csv["unknowns"] == found.title]["words"].value_counts()
        better, worse = words.get("better", 0), words.get("worse", 0)
        assert f"Of {words.sum()} comparisons with the baseline's score" in found.line
        told = f" {better} better, {worse} worse, {words.sum() - better - worse} undecided"
        assert (told if better + worse else "none is decided") in found.line
        for y, x in found.strong:
            names = found.line.split(f" on {found.headers[x]}")[0].split("; ")[-1]
            assert found.rows[y][0] in names or " more" in names


def test_other_studies_have_none() -> None:
    assert Topics(results_of("quick")).highlights == ()
