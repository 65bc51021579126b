"""A file for each call of ``nlbench run``: the command, and every line with its time."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from nlbench.benchmark.machine.version import version


def run_log(results: Path, suite: str) -> Callable[[str], None]:
    """What writes a line into a new file of ``results/logs``.

    The file is there once something is written: a command that is refused leaves none. Where it
    cannot be written, as in results that are complete and may only be read, that is said once.
    """
    now = datetime.now(UTC)
    path = results.absolute() / "logs" / f"{now:%Y%m%dT%H%M%S}-{suite}-{os.getpid()}.log"

    said: list[OSError] = []

    def log(line: str) -> None:
        if said:
            return
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                _add(path, f"nlbench {version()}: {shlex.join(sys.argv[1:])}")
            _add(path, line)
        except OSError as error:
            said.append(error)
            print(f"nlbench: no log in {path.parent}: {error.strerror}", file=sys.stderr)

    return log


def _add(path: Path, line: str) -> None:
    """Whole at once: several threads write."""
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}\n")
