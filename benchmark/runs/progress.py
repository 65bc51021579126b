"""Progress: watches the store, so it works the same with every executor."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TextIO

from tqdm import tqdm

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.runs.watch import Watch
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.claims import Claims
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.benchmark.store.store import Store

# Seconds between two looks, and what one of them may take whatever is waited for.
PERIOD, BUDGET = 0.5, 0.04
# Where looks take longer, as on a slow file system, this share of the time is for those of all who
# train on the same store together, at least once in LONGEST.
SHARE = 0.05
LONGEST = 600.0


def unheard(_: str) -> None:
    """A log that nobody keeps."""


class Progress:
    """Shows runs as their records appear: a live bar on a terminal, plain lines in a log.

    Attributes:
        counts: how many runs ended with which status.

    ``log`` is given every line, also those for which a terminal has a bar instead; by default none.
    """

    def __init__(
        self,
        store: Store,
        specs: Sequence[RunSpec],
        stream: TextIO | None = None,
        log: Callable[[str], None] = unheard,
    ) -> None:
        self.counts: dict[str, int] = {}
        self._store = store
        self._claims = Claims.of(store.root)
        self._watch = Watch(store, (spec.run_id for spec in specs))
        self._waiting = {spec.run_id: spec for spec in specs}
        self._total = len(specs)
        self._stream = stream or sys.stderr
        self._log = log
        self._live = self._stream.isatty()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._clock = time.perf_counter()

    def __enter__(self) -> Progress:
        self._bar = tqdm(
            total=self._total,
            unit="run",
            file=self._stream,
            disable=not self._live,
            dynamic_ncols=True,
            smoothing=0.1,
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._look()
        self._bar.close()

    def say(self, line: str) -> None:
        """Show a line between those of the runs."""
        self._log(line)
        if self._live:
            self._bar.write(line, file=self._stream)
        else:
            print(line, file=self._stream, flush=True)

    def _wait(self) -> None:
        pause = PERIOD
        while not self._stop.wait(pause):
            begun = time.perf_counter()
            self._look(BUDGET)
            training = len(self._claims.runs())
            pause = until_next(time.perf_counter() - begun, training)

    def _look(self, seconds: float = math.inf) -> None:
        for run_id in self._watch.look(seconds):
            try:
                record = self._store.read(run_id)
            except (DamagedRecord, UserError):
                continue  # the next call of `nlbench run` finds, names and repeats it
            if record is not None:
                self._watch.done(run_id)
                del self._waiting[run_id]
                self._show(record)

    def _show(self, record: RunRecord) -> None:
        self.counts[record.status] = self.counts.get(record.status, 0) + 1
        done = self._total - len(self._waiting)
        line = f"{record.spec}: {outcome_words(record)}"
        self._log(f"[{done}/{self._total}] {line}")
        if self._live:
            self._bar.update()
            self._bar.set_postfix_str(line[-60:], refresh=False)
            if record.status != "ok" or record.evaluations.get("unmeasured"):
                self._bar.write(line, file=self._stream)
            return
        left = (time.perf_counter() - self._clock) / done * (self._total - done)
        print(f"[{done}/{self._total}] {line}, {clock(left)} left", file=self._stream, flush=True)


def until_next(took: float, training: int) -> float:
    """Seconds until the next look, after one that took so long while so many runs are trained."""
    return min(max(PERIOD, took / SHARE * max(1, training)), LONGEST)


def outcome_words(record: RunRecord) -> str:
    """``87.31 % in 4.2 s``, or what went wrong."""
    if record.status != "ok":
        return f"{record.status.upper()} ({(record.error or {}).get('message')})"
    reached = f"{100 * record.metrics['last']:.2f} % in {record.timing['seconds']:.1f} s"
    return "; ".join((reached, *record.evaluations.get("unmeasured", {}).values()))


def clock(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
