"""Whatever ends a command, its first process tells, and takes nothing for success that is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nlbench.cli import supervise

# Says first what is ignored: the tests may run under nohup or in a shell's background.
PROGRAM = """
import os, signal, sys, time
from nlbench.cli.supervise import STOPPING, supervised
for name in STOPPING:
    number = signal.Signals[name]
    signal.signal(number, signal.SIG_IGN if name == "{ignored}" else signal.SIG_DFL)
def command(hold):
    open(sys.argv[1], "w").write(str(os.getpid()))
    {body}
sys.exit(supervised(command))
"""
WAITS = """
    try:
        time.sleep(60)
    except KeyboardInterrupt as stopped:
        return stopped.status
"""
# As code that runs outside Python and hears no signal.
DEAF = """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    time.sleep(60)
"""


def start(body: str, repository: Path, file: Path, ignored: str = "") -> subprocess.Popen[str]:
    program = PROGRAM.format(body=body.strip(), ignored=ignored)
    words = [sys.executable, "-c", program, str(file)]
    return subprocess.Popen(words, cwd=repository, stderr=subprocess.PIPE, text=True)


def begun(process: subprocess.Popen[str], file: Path) -> int:
    """The number of the command's own process, once that has begun."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if file.is_file() and (text := file.read_text()):
            return int(text)
        time.sleep(0.01)
    raise AssertionError("it did not begin")


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("return 0", 0, ""),
        ("return 2", 2, ""),
        ("os._exit(0)", 1, "ended from within with status 0"),
        ("os._exit(7)", 7, "ended from within with status 7"),
        ("sys.exit(0)", 1, "ended from within with status 0"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "killed (signal 9)"),
        ("time.sleep(0.1) or os.abort()", 134, "killed (signal 6)"),
    ],
)
def test_the_status_is_what_the_command_said(
    body: str, status: int, says: str, repository: Path, tmp_path: Path
) -> None:
    process = start(body, repository, tmp_path / "begun")
    _, said = process.communicate(timeout=60)
    assert process.returncode == status
    assert says in said
    assert bool(said) == bool(says)


HOLDS = """
    signal.signal(signal.SIGTERM, lambda *_: hold())
    time.sleep(0.1 + {patience})
    return 5
"""


def test_a_command_that_asks_for_it_is_waited_for(repository: Path, tmp_path: Path) -> None:
    process = start(HOLDS.format(patience=supervise.PATIENCE), repository, tmp_path / "begun")
    begun(process, tmp_path / "begun")
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 5


@pytest.mark.parametrize("name", supervise.STOPPING)
def test_a_signal_ends_the_command_by_itself(name: str, repository: Path, tmp_path: Path) -> None:
    process = start(WAITS, repository, tmp_path / "begun")
    begun(process, tmp_path / "begun")
    number = signal.Signals[name]
    process.send_signal(number)
    assert process.wait(60) == 128 + number


def test_a_command_that_hears_no_signal_is_killed(repository: Path, tmp_path: Path) -> None:
    process = start(DEAF, repository, tmp_path / "begun")
    begun(process, tmp_path / "begun")
    time.sleep(0.1)
    sent = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "was stopped" in said
    assert time.monotonic() - sent >= supervise.PATIENCE - 0.5


def test_the_command_ends_with_a_killed_parent(repository: Path, tmp_path: Path) -> None:
    process = start(DEAF, repository, tmp_path / "begun")
    child = begun(process, tmp_path / "begun")
    process.kill()
    process.wait()
    until = time.monotonic() + 60
    while alive(child):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_nohup_is_heard(repository: Path, tmp_path: Path) -> None:
    body = "time.sleep(0.5)\n    return 0"
    process = start(body, repository, tmp_path / "begun", ignored="SIGHUP")
    begun(process, tmp_path / "begun")
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0


def alive(process: int) -> bool:
    """Whether it runs; a dead one may wait for somebody to ask after it."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not (stat.is_file() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
