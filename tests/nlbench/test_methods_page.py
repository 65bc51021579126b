"""The page of methods: complete, what the command makes, with a place for every method."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlbench import baselines, methods_numbers, methods_page
from nlbench.baselines.families import FAMILIES
from nlbench.baselines.methods.ce import CE
from nlbench.baselines.methods.elr import ELR
from nlbench.cli.main import main
from nlbench.methods_numbers import Numbers

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "methods.md"


def test_the_docs_pages_are_what_the_command_makes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "methods", "--pages", str(tmp_path)]) == 0
    assert f"{len(FAMILIES) + 1} pages" in capsys.readouterr().out
    made = {file.relative_to(tmp_path): file.read_text() for file in tmp_path.rglob("*.md")}
    there = [DOCS, *(DOCS.parent / "methods").glob("*.md")]
    assert made == {file.relative_to(DOCS.parent): file.read_text() for file in there}


def numbers_of(*names: str) -> list[Numbers]:
    found = [methods_numbers.read(ROOT, name) for name in names]
    return [one for one in found if one is not None]


def test_a_family_s_page_says_what_it_assumes_where_it_fails_and_whose_settings_it_has() -> None:
    made = methods_page.pages(methods_page.shipped(), *numbers_of("field"))
    for name, family in FAMILIES.items():
        text = made[f"methods/{name}.md"]
        assert f"## What they assume\n\n{family.assumes}\n" in text
        assert f"## Where they fail\n\n{family.fails}\n" in text
        assert min(len(family.assumes), len(family.fails)) > 100
        assert f"](methods/{name}.md)" in made["methods.md"]
    for method in methods_page.shipped():
        page = made[f"methods/{method.family}.md"]
        (own,) = [part for part in page.split("\n## ") if f"\n`{method.name}`: `" in part]
        assert "Source:" in own
        for data, published in method.published.items():
            (line,) = [line for line in own.splitlines() if line.startswith(f"| {data} |")]
            assert published.source.replace("|", r"\|") in line


def test_a_docstring_s_signs_are_none_of_markdown() -> None:
    (page,) = [p for n, p in methods_page.pages([ELR]).items() if n != "methods.md"]
    assert r"At each visit t\_i \<- beta t\_i" in page
    assert f"`{ELR.formula}`" in page


def test_every_method_has_a_line_and_every_family_a_method() -> None:
    methods = methods_page.shipped()
    assert {method.family for method in methods} == set(FAMILIES)
    lines = [line for line in DOCS.read_text().splitlines() if line.startswith("| **")]
    assert len(lines) == len(methods)
    for method in methods:
        assert method.own_cost or not method.own_batches
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
    made = methods_page.pages(methods_page.shipped(), *numbers_of("fashion"))
    measured = made["methods/bounded.md"].partition("| measured |")[2].splitlines()[2:4]
    assert [line.split("|")[1].strip() for line in measured] == ["`ce`", "`gce`"]
    assert "| measured |" not in made["methods/regularisation.md"]


def test_a_method_is_in_the_first_study_that_has_it() -> None:
    made = methods_page.pages(methods_page.shipped(), *numbers_of("fashion", "field"))
    bounded = made["methods/bounded.md"]
    assert bounded.count("| measured |") == 2
    assert bounded.count("| `gce` |") == 1
    assert bounded.count("| `ce` |") == 2  # the baseline of both


def test_no_numbers_without_a_published_study(tmp_path: Path) -> None:
    assert methods_numbers.read(tmp_path, "field") is None
    made = methods_page.pages(methods_page.shipped())
    assert not any("| measured |" in text for text in made.values())


def test_a_method_without_a_family_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CE, "family", "robust")
    with pytest.raises(baselines.MethodError, match=r"'ce'.*'robust'"):
        methods_page.pages([CE])


def test_only_methods_have_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "models", "--pages", "docs"]) == 2
    assert "of methods alone, not of models" in capsys.readouterr().err
