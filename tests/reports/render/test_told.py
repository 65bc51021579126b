"""What methods were told stands beside their accuracies, in every form of the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.build import build_report
from nlbench.reports.read.study import Study
from nlbench.reports.speed.made_up_records import METHODS, declared, made_up

NOISE = ("clean", "symmetric:0.4")
TOLD = {"sce": ("noise_rate",), "gce": ("noise_rate", "transition")}


def test_a_large_table_has_a_column_of_it(tmp_path: Path) -> None:
    text = _built(METHODS, tmp_path)
    (line,) = [line for line in text.splitlines() if line.startswith("gce ")]
    assert "noise rate, transition" in line
    table = (tmp_path / "accuracy.md").read_text()
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")]
    head, *body = [[cell.strip() for cell in row] for row in rows]
    assert head == ["method", "told", "clean", "symmetric 0.4", "mean"]
    assert {row[0]: row[1] for row in body if row[1]} == {
        "sce": "noise rate",
        "gce": "noise rate, transition",
    }
    assert "Told: what a method was given beyond the labels" in table


def test_its_latex_has_as_many_cells_in_every_row(tmp_path: Path) -> None:
    _built(METHODS, tmp_path)
    tex = (tmp_path / "accuracy.tex").read_text()
    rows = [line for line in tex.splitlines() if re.match(r"(Method|ce|gce|sce) &", line)]
    assert {line.count("&") for line in rows} == {4}
    assert tex.count(r"\begin{longtable}{llS") == 1
    assert r"\cmidrule(lr){3-3}\cmidrule(lr){4-4}" in tex


def test_the_caption_of_a_small_table_says_it(tmp_path: Path) -> None:
    _built(("ce", "gce"), tmp_path)
    words = "Told what is unknown outside an experiment: gce (noise rate, transition)."
    assert words in (tmp_path / "accuracy.md").read_text()
    assert "noise rate, transition" in (tmp_path / "accuracy.tex").read_text()


def test_the_answer_names_leaders_that_were_told(tmp_path: Path) -> None:
    who = _built(("ce", "gce"), tmp_path).splitlines()[1]
    assert who.endswith("told what is unknown outside an experiment: gce (noise rate, transition).")


def test_nothing_is_said_where_nobody_was_told(tmp_path: Path) -> None:
    study = _study(("ce", "drainage"))
    build_report(study, _records(study), tmp_path, only="tables")
    assert "told" not in (tmp_path / "accuracy.md").read_text().lower()


def _built(methods: tuple[str, ...], out: Path) -> str:
    study = _study(methods)
    return build_report(study, _records(study), out, only="tables").text


def _study(methods: tuple[str, ...]) -> Study:
    return declared(10 * len(methods), methods, NOISE)


def _records(study: Study) -> Iterator[RunRecord]:
    for record in made_up(study):
        told = TOLD.get(record.spec.method.name)
        yield record if told is None else replace(record, evaluations={"told": told})
