"""A command that is killed, whole or in part, leaves no process and loses nothing."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from nlbench.benchmark.reliability import writers
from nlbench.benchmark.reliability.kills import (
    EXECUTORS,
    KILLS,
    RUNS,
    Kill,
    attempt,
    command,
    drawn,
    finished,
)
from nlbench.benchmark.reliability.starting import Forked, Fresh, Started
from nlbench.benchmark.reliability.study import study
from nlbench.benchmark.store.store import Store
from nlbench.cli import main

# A machine that others use may be late by so much.
SLOW = 5.0


def test_whatever_is_killed_the_next_call_goes_on(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, results = tmp_path / "suite.toml", tmp_path / "results"
    suite.write_text(study())
    monkeypatch.chdir(repository)
    for kill in (
        Kill("multiprocessing", "worker", signal.SIGKILL, 0.3),
        Kill("loky", "parent", signal.SIGTERM, 0.3),
        Kill("loky", "parent", signal.SIGKILL, 0.3),
        Kill("serial", "group", signal.SIGKILL, 0.1, fresh=False, checkpoints=True),
        Kill("serial", "parent", signal.SIGINT, 0.1, early=True, fresh=False),
    ):
        assert attempt(suite, results, kill, SLOW) == ""
    assert finished(suite, results, SLOW) == ""
    assert sum(r.status == "ok" for r in Store.open(results / "runs").records()) == RUNS


def test_kills_of_every_kind_are_drawn() -> None:
    rng = np.random.Generator(np.random.Philox(key=0))
    some = [drawn(rng) for _ in range(1000)]
    assert {(k.target, k.number) for k in some} == set(KILLS)
    assert {(k.fresh, k.early, k.checkpoints) for k in some} == set(
        itertools.product((True, False), repeat=3)
    )
    assert {k.executor for k in some if k.fresh} == set(EXECUTORS)
    assert {k.executor for k in some if not k.fresh} == {"serial"}


@pytest.mark.parametrize("start", [Fresh, Forked])
def test_a_command_is_started_as_one_types_it(
    start: Callable[[Sequence[str], Path], Started],
    tmp_path: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(repository)
    before = dict(os.environ)
    said = tmp_path / "said"
    process = start(["run", "nosuch.toml"], said)
    assert process.wait(600) == 2
    assert said.read_text().startswith("nlbench: suite nosuch.toml")
    assert process.pid != os.getpid()
    assert dict(os.environ) == before


def test_a_command_that_does_not_train_has_not_held(tmp_path: Path) -> None:
    kill = Kill("serial", "parent", signal.SIGKILL, 0.0, fresh=False)
    seen = attempt(tmp_path / "nosuch.toml", tmp_path / "results", kill)
    assert seen is not None
    assert seen.startswith("it ended by itself with status 2; it said: b'nlbench: suite ")


def test_a_command_that_is_done_was_not_killed(tmp_path: Path) -> None:
    suite = tmp_path / "suite.toml"
    suite.write_text(study(["ce"], ["clean"], seeds=1))
    kill = Kill("serial", "parent", signal.SIGKILL, 600.0, fresh=False)
    assert "exit status 0 with runs missing" in (attempt(suite, tmp_path / "results", kill) or "")
    suite.write_text(study())
    assert attempt(suite, tmp_path / "results", kill) is None


def test_what_a_kill_finds_is_said(tmp_path: Path) -> None:
    suite, results = tmp_path / "suite.toml", tmp_path / "results"
    suite.write_text(study(seeds=1))
    assert "exit status 0, 6 records of 24 runs" in finished(suite, results)
    (results / "runs" / "claims").mkdir(exist_ok=True)
    (results / "runs" / "claims" / "write-0123456789abcdef.claim").touch()
    assert writers.left_behind(results) == ("claims/write-0123456789abcdef.claim",)


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
    suite.write_text(study(["lnl_ends:Ends"]))
    path = os.pathsep.join([str(tmp_path), str(repository), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "nlbench", *command(suite, results, executor)],
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
    suite.write_text(study(["lnl_leaves:Mine"]))
    assert main(command(suite, tmp_path / "results")) == 2
    assert "sys.exit(0)" in capsys.readouterr().err
    assert "lnl_leaves" not in sys.modules
