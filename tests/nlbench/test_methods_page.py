"""The page of methods: complete, what the command makes, with a place for every method."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlbench import baselines, methods_numbers, methods_page
from nlbench.baselines.families import FAMILIES
from nlbench.baselines.methods.ce import CE
from nlbench.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "methods.md"


def test_the_docs_page_is_what_the_command_makes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "methods", "--markdown"]) == 0
    assert DOCS.read_text() == capsys.readouterr().out


def test_every_method_has_a_line_and_every_family_a_method() -> None:
    methods = methods_page.shipped()
    assert {method.family for method in methods} == set(FAMILIES)
    lines = [line for line in DOCS.read_text().splitlines() if line.startswith("| **")]
    assert len(lines) == len(methods)
    for method in methods:
        assert bool(method.own_cost) == method.own_batches
        assert sum(f"`{method.name}` |" in line for line in lines) == 1


def test_a_stroke_does_not_end_a_cell() -> None:
    (row,) = [
        line
        for line in DOCS.read_text().splitlines()
        if "`volminnet` |" in line and line.startswith("| **")
    ]
    assert r"log \|det T\|" in row
    assert row.replace(r"\|", "").count("|") == len(methods_page.HEADS) + 1


def test_numbers_are_those_of_the_published_report() -> None:
    numbers = methods_numbers.read(ROOT, "fashion")
    assert numbers is not None
    report = (ROOT / "results" / "published" / "fashion" / "index.md").read_text()
    for name, title in {"gce": "GCE", "drainage": "Drainage"}.items():
        for cell, condition in zip(numbers.cells[name], numbers.conditions, strict=True):
            word = "beats" if cell.endswith("+") else "is worse than"
            assert cell[-1] in "+−"
            assert f"- {title} {word} CE on {condition} by" in report
            assert f"{cell.split()[0]} ±" in report


def test_a_family_shows_the_baseline_first_and_only_what_was_measured() -> None:
    numbers = methods_numbers.read(ROOT, "fashion")
    text = methods_page.page(methods_page.shipped(), numbers)
    (bounded,) = [part for part in text.split("## ") if part.startswith("Bounded losses")]
    measured = bounded.partition("| measured |")[2].splitlines()[2:4]
    assert [line.split("|")[1].strip() for line in measured] == ["`ce`", "`gce`"]
    (mixed,) = [part for part in text.split("## ") if "`mixup`" in part]
    assert "| measured |" not in mixed


def test_no_numbers_without_a_published_study(tmp_path: Path) -> None:
    assert methods_numbers.read(tmp_path, "field") is None
    assert "measured" not in methods_page.page(methods_page.shipped()).replace("Measured", "")


def test_a_method_without_a_family_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CE, "family", "robust")
    with pytest.raises(baselines.MethodError, match=r"'ce'.*'robust'"):
        methods_page.page([CE])


def test_only_methods_have_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "models", "--markdown"]) == 2
    assert "of methods alone, not of models" in capsys.readouterr().err
