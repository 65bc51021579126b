"""The workflow that checks changes calls what there is: targets of make, commands, Pythons."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from nlbench.benchmark.suites import suite
from nlbench.cli.main import parser

ROOT = Path(__file__).resolve().parents[1]
CHECKS = (ROOT / ".github" / "workflows" / "checks.yml").read_text("utf-8")
LINES = re.findall(r"^ +- run: ([^#\n]*?) *(?:#.*)?$", CHECKS, re.MULTILINE)


def test_every_target_is_one_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    called = [line.split()[1] for line in LINES if line.startswith("make ")]
    assert called == ["lint", "docs", "test"]
    assert all(re.search(rf"^{target}: ", makefile, re.MULTILINE) for target in called)
    # What checks a change on a machine of ours calls the same.
    ours = (ROOT / ".ci" / "run").read_text("utf-8")
    assert set(re.findall(r"^make (\w+)", ours, re.MULTILINE)) == set(called)


@pytest.mark.parametrize("line", [line for line in LINES if "nlbench " in line])
def test_every_command_is_understood(line: str) -> None:
    words = line.removeprefix("python -m ").split()[1:]
    args = parser().parse_args(words)
    if words[0] != "doctor":
        assert {int(seed) for seed in args.seeds} <= {
            spec.seed for spec in suite.load(args.suite).specs
        }


def test_the_oldest_python_is_the_one_that_is_asked_for() -> None:
    (listed,) = re.findall(r"python: \[(.*)\]", CHECKS)
    versions = re.findall(r'"(3\.\d+)"', listed)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == f">={versions[0]}"
    assert len(versions) == 4


def test_it_may_only_read() -> None:
    assert "permissions:\n  contents: read\n" in CHECKS
    assert "write" not in CHECKS
    assert "pull_request_target" not in CHECKS
