"""A job script for SLURM: an array of tasks that share the runs of a suite by their claims."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from nlbench.benchmark.errors import UserError

# How often a task goes back into the queue at the end of its time, so that one that never gets
# anywhere does not do so for ever.
RESTARTS = 100
# Exit status of a command that SIGUSR1 has stopped with runs left.
LEFT = 128 + 10
_ARRAY = re.compile(r"([1-9][0-9]{0,6})(?:%([1-9][0-9]{0,6}))?")
# minutes, minutes:seconds, hours:minutes:seconds, days-hours and so on, as sbatch reads them.
_TIME = re.compile(r"(?:[0-9]+-[0-9]+(?::[0-9]+){0,2}|[0-9]+(?::[0-9]+){0,2})")
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Array:
    """The tasks of an array job.

    Attributes:
        tasks: most of them.
        at_once: most of them at a time; ``None`` = all.
    """

    tasks: int
    at_once: int | None = None

    @classmethod
    def parse(cls, text: str) -> Array:
        """``16``, or ``16%4`` for four at a time (UserError: anything else)."""
        found = _ARRAY.fullmatch(text)
        if found is None:
            raise UserError(
                f"--array {text!r:.80} should be a number of tasks such as 16, or 16%4 for four of"
                " them at a time"
            )
        return cls(int(found[1]), None if found[2] is None else int(found[2]))

    def for_runs(self, missing: int, bundle: int) -> Array:
        """No more tasks than there are bundles of missing runs."""
        return Array(min(self.tasks, -(-missing // bundle)), self.at_once)

    def __str__(self) -> str:
        cap = "" if self.at_once is None else f"%{self.at_once}"
        return f"1-{self.tasks}{cap}"


@dataclass(frozen=True)
class Job:
    """What the script of a job asks for.

    Attributes:
        name: of the suite.
        command: trains what nobody else has begun, in words.
        array: its tasks.
        missing: runs there are to train now.
        time: limit of a task, as sbatch reads it.
        gpus: of a task.
        cpus: of a task.
        lead: seconds before the end of its time at which a task is told of it.
        sbatch: more options of sbatch, each as on its command line.
    """

    name: str
    command: Sequence[str]
    array: Array
    missing: int
    time: str
    gpus: int
    cpus: int
    lead: int
    sbatch: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not _TIME.fullmatch(self.time):
            raise UserError(
                f"--time {self.time!r:.80} should be a time as sbatch reads it, such as 4:00:00 or"
                " 1-12:00:00"
            )
        for option in self.sbatch:
            if not option.startswith("-") or not option.isprintable():
                raise UserError(f"--sbatch {option!r:.80} should be an option: --sbatch=--mem=8G")


def script(job: Job) -> str:
    """The script: a task per place in the array, the same command in each."""
    name = _NAME.sub("-", job.name)
    asked = [
        f"--job-name=nlbench-{name}",
        f"--array={job.array}",
        f"--time={job.time}",
        *([f"--gpus={job.gpus}"] if job.gpus else []),
        f"--cpus-per-task={job.cpus}",
        "--requeue",
        f"--signal=B:USR1@{job.lead}",
        "--open-mode=append",
        f"--output=nlbench-{name}-%A_%a.log",
        *job.sbatch,
    ]
    return _SCRIPT.format(
        name=" ".join(job.name.split()),
        missing=job.missing,
        asked="\n".join(f"#SBATCH {option}" for option in asked),
        lead=job.lead,
        cpus=job.cpus,
        command=" \\\n    ".join(_lines(job.command)),
        left=LEFT,
        restarts=RESTARTS,
    )


def submit(text: str) -> str:
    """Hand a script to sbatch, and return its answer (UserError: it is not here, or refuses)."""
    if shutil.which("sbatch") is None:
        raise UserError("--submit: no sbatch on this machine; without it, the script is printed")
    done = subprocess.run(["sbatch"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"sbatch refused the script: {' '.join(done.stderr.split())}")
    return done.stdout.strip()


def _lines(words: Sequence[str]) -> list[str]:
    """The command and its first words on a line, then an option and its value on each."""
    lines: list[str] = []
    for word in words:
        if not lines or word.startswith("--"):
            lines.append(shlex.quote(word))
        else:
            lines[-1] += f" {shlex.quote(word)}"
    return lines


_SCRIPT = """\
#!/bin/bash
# {name}: {missing} runs to train, as `nlbench slurm` found them.
#
# Every task trains runs that no other has begun, those of its own part first, until none is left. A
# task that is preempted, or whose time is over, writes checkpoints and goes back into the queue;
# nothing is trained twice.
# `nlbench status` shows how far the suite is. Change what you like, and hand it to sbatch.
{asked}

# SLURM signals this shell {lead} s before the end of the time; the signal is passed on.
trap 'kill -USR1 "$!"' USR1
trap 'kill -TERM "$!"' TERM
unset DASK_SCHEDULER_ADDRESS  # each task trains by itself
export LOKY_MAX_CPU_COUNT="${{SLURM_CPUS_PER_TASK:-{cpus}}}"

{command} \\
    --begin "${{SLURM_ARRAY_TASK_ID:-1}}/${{SLURM_ARRAY_TASK_MAX:-1}}" &
run=$!
while true; do  # a signal ends a wait, not the command
    wait "$run"
    status=$?
    kill -0 "$run" 2>/dev/null || break
done

case $status in
    # Its time is over and runs are left: once more, from the checkpoints.
    {left}) [ "${{SLURM_RESTART_COUNT:-0}}" -lt {restarts} ] && scontrol requeue "$SLURM_JOB_ID" ;;
    # Others train what is left, or a run has failed, which is in its record: this task is done.
    1) status=0 ;;
esac
exit $status
"""
