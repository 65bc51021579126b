"""Processes that work on a report end with the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

# Two jobs say which processes do them, and go on for longer than anyone waits.
CALL = """
import functools, os, sys, time
from nlbench.reports import parallel

def job(folder):
    open(f"{folder}/{os.getpid()}", "w").close()
    time.sleep(600)

if __name__ == "__main__":
    list(parallel.results([functools.partial(job, sys.argv[1])] * 2, workers=2))
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_report_that_is_killed(
    number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "call.py").write_text(CALL)
    at_work = tmp_path / "at-work"
    at_work.mkdir()
    process = subprocess.Popen([sys.executable, str(tmp_path / "call.py"), str(at_work)])
    try:
        assert _soon(lambda: len(list(at_work.iterdir())) == 2, 120)
    finally:
        process.send_signal(number)
        process.wait()
    workers = [int(path.name) for path in at_work.iterdir()]
    try:
        assert _soon(lambda: not any(map(_lives, workers)), 10)
    finally:
        for worker in filter(_lives, workers):
            os.kill(worker, signal.SIGKILL)


def _soon(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < until:
        time.sleep(0.05)
    return held


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
