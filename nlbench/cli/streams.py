"""Standard output and error that take any text, and are there."""

from __future__ import annotations

import contextlib
import io
import os
import sys


def prepare() -> None:
    """Let both write any character and be open, whatever the terminal or the shell left of them.

    A character that their encoding lacks is written as an escape. A closed one (``>&-``) becomes
    the null device, so that no file of ours gets its number.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Write what is still to come, also at the end of the process, to nowhere."""
    with contextlib.suppress(OSError, ValueError):  # one that has no number, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
