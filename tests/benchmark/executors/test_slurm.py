"""The script for SLURM: what it asks for, and what it does with signals and exit statuses."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.executors import slurm
from nlbench.benchmark.executors.slurm import Array, Job, script
from tests.helpers import slurm_stub

JOB = Job(
    name="my study",
    command=["/a b/python", "-m", "nlbench", "run", "x.toml", "--noise", "a b"],
    array=Array(3, 2),
    missing=7,
    time="4:00:00",
    gpus=1,
    cpus=2,
    lead=90,
    sbatch=["--partition=long"],
)
# Says when it is ready, and ends with the status that its signal is worth, as the command does.
ASKED = """\
#!/bin/bash
trap 'asked=138' USR1
trap 'asked=143' TERM
touch "$0.ready"
while [ -z "$asked" ]; do sleep 0.02; done
exit $asked
"""


def test_the_script_asks_for_what_it_was_given() -> None:
    asked = [line[8:] for line in script(JOB).splitlines() if line.startswith("#SBATCH ")]
    assert asked == [
        "--job-name=nlbench-my-study",
        "--array=1-3%2",
        "--time=4:00:00",
        "--gpus=1",
        "--cpus-per-task=2",
        "--requeue",
        "--signal=B:USR1@90",
        "--open-mode=append",
        "--output=nlbench-my-study-%A_%a.log",
        "--partition=long",
    ]
    assert "'/a b/python' -m nlbench run x.toml \\\n    --noise 'a b' \\\n    --begin " in script(
        JOB
    )
    assert "--gpus" not in script(replace(JOB, gpus=0))


@pytest.mark.parametrize(
    ("text", "missing", "bundle", "expected"),
    [("16", 7, 1, "1-7"), ("16", 100, 1, "1-16"), ("16%4", 45, 10, "1-5%4"), ("2", 1, 50, "1-1")],
)
def test_there_are_no_more_tasks_than_bundles_of_missing_runs(
    text: str, missing: int, bundle: int, expected: str
) -> None:
    assert str(Array.parse(text).for_runs(missing, bundle)) == expected


@pytest.mark.parametrize("text", ["0", "-1", "1-3", "3%0", "", "4%", "x", "1\n#SBATCH --uid=0"])
def test_what_is_no_array_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--array"):
        Array.parse(text)


@pytest.mark.parametrize("time", ["30", "30:00", "4:00:00", "1-12", "1-12:30", "1-12:30:00"])
def test_times_are_those_of_sbatch(time: str) -> None:
    assert f"--time={time}\n" in script(replace(JOB, time=time))


@pytest.mark.parametrize(
    ("field", "value"),
    [("time", "4h"), ("time", ""), ("time", "1\nx"), ("sbatch", ["x"]), ("sbatch", ["--a\nb"])],
)
def test_what_sbatch_would_not_read_is_refused(field: str, value: object) -> None:
    with pytest.raises(UserError, match=f"--{field}"):
        replace(JOB, **{field: value})  # type: ignore[arg-type]


def test_a_name_of_several_lines_adds_no_command() -> None:
    text = script(replace(JOB, name="a\nrm x; $(b)"))
    assert "\nrm" not in text
    assert "--job-name=nlbench-a-rm-x-b-\n" in text


@pytest.mark.parametrize(("given", "ends"), [(0, 0), (1, 0), (2, 2), (70, 70), (137, 137)])
def test_a_task_with_nothing_left_to_do_has_succeeded(given: int, ends: int) -> None:
    text = script(replace(JOB, command=["bash", "-c", f"exit {given}"]))
    assert subprocess.run(["bash"], input=text, text=True, check=False).returncode == ends


@pytest.mark.parametrize(
    ("number", "restarts", "status", "again"),
    [
        (signal.SIGUSR1, "0", 138, True),
        (signal.SIGUSR1, str(slurm.RESTARTS), 138, False),
        (signal.SIGTERM, "0", 143, False),
    ],
)
def test_the_end_of_its_time_puts_a_task_back_into_the_queue(
    number: signal.Signals, restarts: str, status: int, again: bool, tmp_path: Path
) -> None:
    stub, asked = slurm_stub.install(tmp_path / "bin"), tmp_path / "asked.sh"
    asked.write_text(ASKED)
    (tmp_path / "job.sh").write_text(script(replace(JOB, command=["bash", str(asked)])))
    own = {"SLURM_JOB_ID": "123", "SLURM_RESTART_COUNT": restarts}
    path = f"{stub}{os.pathsep}{os.environ['PATH']}"
    task = subprocess.Popen(
        ["bash", str(tmp_path / "job.sh")], env={**os.environ, **own, "PATH": path}
    )
    until = time.monotonic() + 60
    while not (tmp_path / "asked.sh.ready").exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    task.send_signal(number)
    assert task.wait(60) == status
    called = stub / "scontrol.log"
    assert called.exists() == again
    if again:
        assert called.read_text() == "requeue 123\n"


def test_without_sbatch_nothing_is_submitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UserError, match="no sbatch on this machine"):
        slurm.submit(script(JOB))


def test_what_sbatch_says_against_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sbatch").write_text("#!/bin/sh\ncat > /dev/null\necho 'no\nway' >&2\nexit 1\n")
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(UserError, match="sbatch refused the script: no way"):
        slurm.submit(script(JOB))
