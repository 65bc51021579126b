"""An attack: tries of one kind, each held or failed."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

# In seconds; what a single command on small input may take on a busy machine.
LIMIT = 60
STATUSES = (0, 1, 2)
OFTEN = 60  # seconds between two words about how far an attack is
Command = Callable[[Sequence[str]], int]


@dataclass(frozen=True)
class Place:
    """What an attack works with.

    Attributes:
        command: the command line, as a function of its words.
        folder: an empty one.
        seed: of what is drawn.
    """

    command: Command
    folder: Path
    seed: int


@dataclass(frozen=True)
class Attack:
    """Tries of one kind.

    Attributes:
        name: a few words.
        tries: how many by default.
        make: one text for each try as it is done: empty where the promise held, else what was seen.
        promise: what must hold, in words.
    """

    name: str
    tries: int
    make: Callable[[Place], Iterator[str]]
    promise: str


@dataclass(frozen=True)
class Tally:
    """What an attack came to.

    Attributes:
        name: of the attack.
        tried: how many times.
        failures: what was seen where the promise did not hold.
        seconds: it took.
    """

    name: str
    tried: int
    failures: tuple[str, ...]
    seconds: float

    def row(self) -> dict[str, Any]:
        """For a table."""
        failed = len(self.failures)
        return {
            "attack": self.name,
            "tried": self.tried,
            "held": self.tried - failed,
            "failed": failed,
            "seconds": round(self.seconds),
        }


def carry_out(
    attack: Attack, place: Place, tries: int, seconds: float, say: Callable[[Tally], None]
) -> Tally:
    """So many tries, or as many as there is time for.

    Args:
        attack: what is tried.
        place: where.
        tries: at most so many.
        seconds: at most so long.
        say: takes what it has come to so far, every minute and at the end.
    """
    begun, said, tried = time.monotonic(), time.monotonic(), 0
    failures: list[str] = []
    for seen in attack.make(place):
        tried += 1
        if seen:
            failures.append(seen)
        now = time.monotonic()
        if tried >= tries or now - begun > seconds:
            break
        if now - said > OFTEN:
            said = now
            say(Tally(attack.name, tried, tuple(failures), now - begun))
    tally = Tally(attack.name, tried, tuple(failures), time.monotonic() - begun)
    say(tally)
    return tally


def wrong_answer(command: Command, words: Sequence[str], allowed: Sequence[int] = STATUSES) -> str:
    """Call a command in this process; what is wrong with its answer, empty if nothing is.

    Its answer is an exit status, and with status 2 a line with the reason. An exception, another
    status, silence and more than LIMIT seconds are wrong.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with _alarm(LIMIT):
                status: object = command(words)
        except SystemExit as end:  # argparse
            status = end.code or 0
        except BaseException as error:  # whatever it is, it is what is looked for
            if isinstance(error, KeyboardInterrupt):
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            return f"{_shown(words)}: {type(error).__name__}: {error} ({where})"[:600]
    said = err.getvalue()
    if status not in allowed:
        return f"{_shown(words)}: exit status {status!r}: {said[-300:]}"
    lines = [line for line in said.splitlines() if line.startswith("nlbench")]
    if status == 2 and (not lines or not said.rstrip("\n").splitlines()[-1].startswith("nlbench")):
        return f"{_shown(words)}: exit status 2 without a line of explanation: {said[-300:]!r}"
    if "Traceback (most recent call last)" in said:
        return f"{_shown(words)}: a traceback: {said[-300:]}"
    return ""


def quietly(place: Place, words: Sequence[str]) -> None:
    """Call a command that an attack needs done.

    Raises:
        RuntimeError: its exit status is not 0.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = place.command(words)
    if status != 0:
        raise RuntimeError(f"nlbench {' '.join(words)}: {said.getvalue()[-500:]}")


@contextlib.contextmanager
def _alarm(seconds: int) -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"still at it after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _shown(words: Sequence[str]) -> str:
    return ascii(" ".join(words))[1:-1][:300]
