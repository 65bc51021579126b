"""An array job on a SLURM of one's own: preempted, a task killed, and the bits of one call.

Where it is wanted (NLBENCH_SLURM=1) and can be had: see tools/slurm_here.py. It takes some minutes,
for SLURM holds a requeued task back for two.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.executors.train_suite import train_suite
from nlbench.benchmark.reliability import study
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.suites import suite as suites
from nlbench.cli import main
from tools import slurm_here
from tools.slurm_here import Slurm

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        os.environ.get("NLBENCH_SLURM") != "1", reason="NLBENCH_SLURM=1 asks for it"
    ),
    pytest.mark.skipif(
        bool(slurm_here.missing()), reason=f"not there: {', '.join(slurm_here.missing())}"
    ),
]
# Long enough that a run is met in the middle of its training, on a slow machine and a fast one.
SUITE = study.study(methods=["ce"], noise=["symmetric:0.4"], seeds=2, epochs=1500)
BOUND = 600.0  # seconds


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[Slurm]:
    with Slurm(tmp_path / "slurm") as made:
        yield made


def test_an_array_that_is_preempted_and_killed_leaves_the_bits_of_one_call(
    slurm: Slurm,
    tmp_path: Path,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (*slurm.environment.items(), ("PYTHONPATH", str(repository))):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(SUITE)
    words = ["slurm", "study.toml", "--array", "2", "--time", "30", "--checkpoint", "0"]
    assert main([*words, "--submit"]) == 0
    job = capsys.readouterr().out.split()[-1]
    runs = tmp_path / "results" / "runs"
    claims, checkpoints = runs / "claims", runs / "checkpoints"
    _wait(lambda: len(list(checkpoints.glob("*.pt"))) >= 2, "two runs in their middle", slurm)
    # One task is killed without notice: its claim stays.
    killed = next(claims.glob("[!w]*.claim"))
    os.kill(json.loads(killed.read_text())["process"], signal.SIGKILL)
    _wait(lambda: len(_tasks(slurm, job)) == 1, "the killed task is gone", slurm)
    # The other is preempted: it writes its checkpoint and goes back into the queue.
    slurm.call("sbatch", "--partition=high", "--nodes=2", "--wrap=sleep 1", "--output=/dev/null")
    _wait(lambda: "PENDING" in _tasks(slurm, job), "the other is in the queue again", slurm)
    assert list(checkpoints.glob("*.pt"))
    # Meanwhile SLURM holds it back for two minutes.
    serial = TrainOptions(device="cpu", workers=1)
    suite = suites.load(str(tmp_path / "study.toml"))
    assert train_suite(suite, tmp_path / "serial", serial, io.StringIO()).complete
    _wait(lambda: not _tasks(slurm, job), "all is trained", slurm)
    logs = "\n".join(path.read_text() for path in sorted(tmp_path.glob("nlbench-study-*.log")))
    store, one = Store.open(runs), Store.open(tmp_path / "serial" / "runs")
    assert list(store.ids()) == list(one.ids()), logs
    resumed = 0
    for record in store.records():
        twin = one.read(record.run_id)
        assert twin is not None
        assert record.science() == twin.science()
        resumed += bool(record.timing.get("resumed"))
    assert resumed >= 2, logs
    assert list(checkpoints.glob("*.pt")) == []


def _tasks(slurm: Slurm, job: str) -> list[str]:
    """States of the tasks of a job that SLURM still has to do with."""
    try:
        said = slurm.call("squeue", "--noheader", "--array", f"--jobs={job}", "--format=%T")
    except RuntimeError as error:
        if "Invalid job id" in str(error):  # it is over, and forgotten
            return []
        raise
    return said.split()


def _wait(happened: Callable[[], bool], what: str, slurm: Slurm) -> None:
    until = time.monotonic() + BOUND
    while not happened():
        if time.monotonic() > until:
            said = slurm.call("squeue")
            logs = [p.read_text()[-2000:] for p in sorted(Path.cwd().glob("*.log"))]
            pytest.fail("\n".join([f"waited {BOUND:g} s until {what}", said, *logs]))
        time.sleep(0.2)
    sys.stderr.write(f"{what}\n")
