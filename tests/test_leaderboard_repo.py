"""The example of a repository for submissions: what its workflow runs, on a small archive."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nlbench.reports.site.write import file_name
from tests.helpers.submissions import OWN, RESULTS, packed, submitted

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "leaderboard-repo"
WORKFLOW = EXAMPLE / ".github" / "workflows" / "submissions.yml"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The repository with one submission, and the scripts of its main branch in rules/."""
    shutil.copytree(EXAMPLE, tmp_path / "repo")
    shutil.copytree(EXAMPLE, tmp_path / "repo" / "rules")
    folder = tmp_path / "repo" / "submissions" / "author"
    folder.mkdir()
    packed(folder / "records.tar.gz", submitted())
    (folder / "origin.txt").write_text("A. Author, https://example.org/paper\n")
    return tmp_path / "repo"


NLBENCH = """#!/bin/sh
if [ "$1" = site ]; then  # tested by itself: here its words are read, and that is all
    exec "{python}" -c "import sys; from nlbench.cli.main import parser; \\
print(parser(('site',)).parse_args(sys.argv[1:]).out)" "$@"
fi
exec "{python}" -m nlbench "$@"
"""


def run(place: Path, command: str) -> subprocess.CompletedProcess[str]:
    """One command of the workflow; `nlbench` is the one under test."""
    programs = place.parent / "programs"
    programs.mkdir()
    (programs / "nlbench").write_text(NLBENCH.format(python=sys.executable))
    (programs / "nlbench").chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "SUITE": "quick",
        "RESULTS": str(RESULTS),
    }
    return subprocess.run(
        command.split(), cwd=place, env=env, capture_output=True, text=True, check=False
    )


def commands() -> list[str]:
    """What the workflow runs once everything is installed."""
    found = re.findall(r"^ +- run: (.*)$", WORKFLOW.read_text("utf-8"), re.MULTILINE)
    return [command for command in found if not command.startswith("pip ")]


def test_the_workflow_checks_with_the_rules_of_the_branch_and_has_no_right_to_write() -> None:
    text = WORKFLOW.read_text("utf-8")
    assert commands() == ["sh rules/check.sh", "sh build.sh"]
    assert "pull_request_target" not in text
    assert text.index("contents: read") < text.index("jobs:")
    assert text.count("write") == 2  # pages and the token for them, of what was merged
    assert text.index("if: github.event_name == 'push'") < text.index("pages: write")


@pytest.mark.slow
def test_every_submission_is_checked_and_one_that_is_not_admitted_fails(place: Path) -> None:
    folder = place / "submissions" / "lost-seed"
    folder.mkdir()
    packed(folder / "records.tar.gz", [r for r in submitted() if r.spec.seed != 1])
    done = run(place, commands()[0])
    assert done.returncode == 1
    author, other = done.stdout.split("== submissions/lost-seed/")
    assert "author/records.tar.gz: admitted (suite quick)" in author
    assert "FAILED" not in author
    assert "FAILED  seeds: ce on digits, clean: no run of seed 1" in other
    assert "FAILED  origin: submissions/lost-seed/origin.txt is missing" in other


@pytest.mark.slow
def test_the_page_is_built_from_every_submission(place: Path) -> None:
    done = run(place, commands()[1])
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "page/studies\n" in done.stdout  # what `nlbench site` would write to
    page = (place / "page" / "index.html").read_text("utf-8")
    assert OWN in page
    assert '<a href="https://example.org/paper">A. Author</a>' in page
    assert f'<a href="studies/{file_name("quick")}">nlbench</a>' in page
    assert (place / "page" / "leaderboard.csv").is_file()
