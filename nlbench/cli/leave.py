"""Signals that ask a command to write checkpoints and leave the rest to the next call.

A cluster sends one some time before it takes the machine away.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from nlbench.cli.supervise import Hold

ASKING = ("SIGUSR1", "SIGTERM")


class Leave:
    """Whether the command was asked to.

    Attributes:
        file: is there once it was; workers look for it.
        number: of the signal; 0: none has come.
    """

    def __init__(self, file: Path, hold: Hold) -> None:
        self.file = file
        self.number = 0
        self._hold = hold

    def hear(self, number: int, _: object) -> None:
        """Handle a signal."""
        self._hold()
        if not self.number:
            self.number = number
            self.file.touch()
            name = signal.Signals(number).name
            line = f"nlbench: {name}: runs write a checkpoint at the end of their epoch, and stop"
            # Not by print, which the signal may have interrupted.
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{line}\n".encode())


@contextlib.contextmanager
def leaving(hold: Hold) -> Iterator[Leave]:
    """Within, the signals ASKING end nothing but ask; Ctrl-C still ends at once.

    Args:
        hold: asks the process over this one to wait.
    """
    with tempfile.TemporaryDirectory(prefix="nlbench-") as folder:
        leave = Leave(Path(folder) / "stop", hold)
        main = threading.current_thread() is threading.main_thread()  # no other may handle signals
        numbers = [signal.Signals[name] for name in ASKING if main and hasattr(signal, name)]
        before = {number: signal.signal(number, leave.hear) for number in numbers}
        try:
            yield leave
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
