"""Publishing, reporting, counting and pages from Python: what the command line calls."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from nlbench.benchmark import published
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.status import suite_status
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.store.results import store_in
from nlbench.benchmark.suites import suite as suites
from nlbench.reports.write import write_report
from nlbench.site import write_site
from nlbench.studies import from_published, from_store, publish_suite, study_of

QUICK = Path(__file__).resolve().parents[2] / "results" / "published" / "quick"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder whose store holds the published runs of suite quick, but for one."""
    store = store_in(tmp_path / "results", create=True)
    for record in published.read(QUICK).records():
        if isinstance(record, RunRecord):
            store.write(record)
    store.path(suites.load("quick").specs[0].run_id).unlink()
    return tmp_path / "results"


def test_a_missing_run_makes_a_part_and_is_counted(results: Path) -> None:
    said: list[str] = []
    quick = suites.load("quick")
    found = from_store(quick, quick, store_in(results), said.append, asked="quick")
    assert found.study.part == "59 of the 60 runs of suite quick; 1 more have no record yet"
    assert found.place == Path("quick", "part")
    assert said == []
    cells = suite_status(quick, store_in(results)).cells
    first = quick.specs[0]
    short = {cell: count for cell, count in cells.items() if count[0] < count[1]}
    assert list(short) == [
        (f"{first.dataset.name} {first.model} {first.profile} {first.noise}", first.method.name)
    ]
    assert sum(done for done, _ in cells.values()) == 59
    with pytest.raises(UserError, match="1 of its 60 runs have no record"):
        publish_suite("quick", results)
    assert not (results / "published").exists()


def test_a_part_does_not_replace_the_whole(results: Path, tmp_path: Path) -> None:
    whole = published.read(QUICK)
    out, said = tmp_path / "out", list[str]()
    every = from_published(whole, whole.suite, said.append)
    assert every.study.part == ""
    written = write_report(every.study, every.intake, out, only="leaderboard")
    assert {file.parent for file in written.built.files} == {out}
    assert written.removed == ()
    cut = whole.suite.select(methods=["ce", "gce"])
    part = from_published(whole, cut, said.append, selection="--methods ce,gce")
    assert part.study.part == "40 of the 60 runs of suite quick, selected by --methods ce,gce"
    with pytest.raises(UserError, match="holds the report of a whole study"):
        write_report(part.study, part.intake, out, only="leaderboard")
    with pytest.raises(UserError, match="only `nlbench publish SUITE` changes"):
        published.check_outside(results, QUICK)


def test_without_a_study_there_are_no_pages(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no published study in it"):
        write_site(results, tmp_path / "site", list[str]().append)
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("asked", "selection", "starts"),
    [
        ("quick", "", "make benchmark SUITE=quick"),
        ("my study.toml", "--methods ce,gce", "make benchmark SUITE='my study.toml' ARGS='--m"),
        ("$(shell touch seen)", "", "nlbench run '$(shell touch seen)' && nlbench report"),
        ("a;touch seen;", "", "nlbench run 'a;touch seen;'"),
        ('a"`touch seen`".toml', "", "nlbench run 'a"),
        ("-", "--noise 'x;touch seen'", "nlbench run - --noise 'x;touch seen'"),
        ("it's", "--seeds 0-1", "make benchmark SUITE='it'"),
    ],
)
def test_the_command_of_a_report_means_to_a_shell_what_it_says(
    asked: str, selection: str, starts: str, tmp_path: Path
) -> None:
    """Run by a shell in which make and nlbench only show their words; nothing else is called."""
    quick = suites.load("quick")
    command = study_of(quick, asked, selection).command
    assert command.startswith(starts)
    (tmp_path / "Makefile").write_text(
        'benchmark:\n\t@nlbench run "$(SUITE)" $(ARGS)\n\t@nlbench report "$(SUITE)" $(ARGS)\n'
    )
    (tmp_path / "nlbench").write_text('#!/bin/sh\nshift\nprintf "%s\\n" "$@" >> words\n')
    (tmp_path / "nlbench").chmod(0o755)
    here = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", command], cwd=tmp_path, env=here, check=True, timeout=60)
    said = (tmp_path / "words").read_text().splitlines()
    assert said == 2 * [asked, *shlex.split(selection)]
    assert not (tmp_path / "seen").exists()
