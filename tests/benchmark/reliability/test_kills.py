"""A command that is killed, whole or in part, leaves no process and loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nlbench.benchmark.reliability import writers
from nlbench.benchmark.reliability.kills import RUNS, SUITE, Kill, attempt, command
from nlbench.benchmark.store.store import Store
from nlbench.cli import main

# A machine that others use may be late by so much.
SLOW = 5.0


def test_whatever_is_killed_the_next_call_goes_on(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, results = tmp_path / "suite.toml", tmp_path / "results"
    suite.write_text(SUITE)
    monkeypatch.chdir(repository)
    for kill in (
        Kill("multiprocessing", "worker", signal.SIGKILL, 0.3),
        Kill("loky", "parent", signal.SIGTERM, 0.3),
        Kill("loky", "parent", signal.SIGKILL, 0.3),
    ):
        assert attempt(suite, results, kill, SLOW) == ""
    assert main(command(suite, results)[3:]) == 0
    assert sum(r.status == "ok" for r in Store.open(results / "runs").records()) == RUNS
    assert writers.left_behind(results) == ()


ENDS = """
import os
from dataclasses import dataclass
from nlbench.baselines import Method

@dataclass(frozen=True, kw_only=True)
class Ends(Method):
    def per_sample(self, logits, targets):
        os._exit(0)
"""


@pytest.mark.parametrize("executor", ["serial", "multiprocessing"])
def test_a_method_that_ends_its_process_is_no_success(
    executor: str, tmp_path: Path, repository: Path
) -> None:
    (tmp_path / "lnl_ends.py").write_text(ENDS)
    suite, results = tmp_path / "suite.toml", tmp_path / "results"
    suite.write_text(SUITE.replace('"ce", "gce"', '"lnl_ends:Ends"'))
    path = os.pathsep.join([str(tmp_path), str(repository), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command(suite, results, executor),
        cwd=repository,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == (1 if executor == "serial" else 2)
    says = "ended from within with status 0" if executor == "serial" else "a worker died"
    assert says in done.stderr
    assert not list((results / "runs").glob("??/*.json"))


LEAVES = "import sys\nsys.exit(0)\n"


def test_a_module_that_ends_the_program_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lnl_leaves.py").write_text(LEAVES)
    monkeypatch.syspath_prepend(str(tmp_path))
    suite = tmp_path / "suite.toml"
    suite.write_text(SUITE.replace('"ce", "gce"', '"lnl_leaves:Mine"'))
    assert main(command(suite, tmp_path / "results")[3:]) == 2
    assert "sys.exit(0)" in capsys.readouterr().err
    assert "lnl_leaves" not in sys.modules
