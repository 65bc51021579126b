"""A topic is entered in one place, and the report holds all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from nlbench import reports
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.read.cells import Block
from nlbench.reports.topics import registry
from nlbench.reports.topics.topic import Topic

Make = Callable[..., Any]
VALUES = {("ce", "clean"): [90.0, 91.0], ("gce", "clean"): [80.0, 81.0]}
ROOMS = Path(registry.__file__).parent
SHARED = {"__init__", "topic", "registry", "parts", "columns"}


def _seeds(results: Results) -> list[int]:
    return sorted({int(seed) for seed in results.frame.runs["seed"] if seed > 0})


def _section(results: Results, found: list[int], block: Block | None) -> list[str]:
    del results
    return ["## Seeds of all blocks" if block is None else f"### Seeds: {found}"]


def _figures(results: Results, found: list[int], block: Block | None) -> list[Planned]:
    del results, found
    return [Planned("seeds-of-all" if block is None else "seeds", "Seeds.", Figure())]


SEEDS = Topic(
    name="seeds",
    find=_seeds,
    tables=lambda _, found: {"seeds.csv": f"{found}\n"},
    pages=lambda *_: {"seeds.md": "# Seeds\n", "seeds.tex": "% Seeds\n"},
    files=(("seeds.csv", "the seeds"), ("seeds.tex", "for a paper")),
    section=_section,
    figures=_figures,
    warnings=lambda _, found: [f"{len(found)} seed is not 0"],
)


def test_every_room_of_topics_is_entered_once() -> None:
    rooms = {path.stem for path in ROOMS.iterdir() if path.suffix == ".py" or path.is_dir()}
    names = [topic.name for topic in (*registry.TOPICS, *registry.OF_TABLES)]
    assert sorted(names) == sorted(rooms - SHARED - {"__pycache__"})


def test_a_new_topic_is_in_every_part_of_a_report(
    make_study: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_study(VALUES)
    topics = registry.Topics
    monkeypatch.setattr("nlbench.reports.build.Topics", lambda results: topics(results, (SEEDS,)))
    built = reports.build_report(made.study, made.records, tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in built.files}
    assert {"seeds.csv", "seeds.md", "seeds.tex", "figures/seeds.png"} <= names
    assert [(f.name, f.block) for f in built.drawn if "seeds" in f.name] == [
        ("seeds", 0),
        ("seeds-of-all", None),
    ]
    assert "1 seed is not 0" in built.warnings
    assert "Note: 1 seed is not 0." in built.text
    index = (tmp_path / "index.md").read_text()
    for words in ("**Note:** 1 seed is not 0.", "### Seeds: [1]", "## Seeds of all blocks"):
        assert words in index
    assert "- [seeds.csv](seeds.csv): the seeds" in index
    assert "\\input{seeds}" in (tmp_path / "document.tex").read_text()


def test_a_topic_that_finds_nothing_is_not_asked_for_more(make_study: Make) -> None:
    made = make_study({key: values[:1] for key, values in VALUES.items()})
    topics = registry.Topics(analyse(made.study, made.records), (SEEDS,))
    assert (topics.warnings, topics.files, topics.texts(None)) == ((), (), {})
    assert topics.sections(None) == []
    assert list(topics.figures(None)) == []


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("leaderboard", {"seeds.csv"}),
        ("tables", {"seeds.md", "seeds.tex"}),
        ("figures", set()),
        (None, {"seeds.csv", "seeds.md", "seeds.tex"}),
    ],
)
def test_a_part_of_a_report_has_its_files(
    make_study: Make, only: str | None, names: set[str]
) -> None:
    made = make_study(VALUES)
    topics = registry.Topics(analyse(made.study, made.records), (SEEDS,))
    assert set(topics.texts(only)) == names
