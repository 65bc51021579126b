"""Records that appear in a store, found without a look for every run that is waited for."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark.store.store import Store

# Seconds after which a folder's time is sure to differ if it changes again.
COARSE = 2.0


@dataclass
class _Folder:
    """What is waited for in one folder of a store.

    Attributes:
        path: of the folder.
        waiting: run ids, and inode and time of the record that was there before.
        changed: the folder's own time when it was last listed; ``None``: it was not there.
        since: when that was seen first.
        settled: whether it has been listed after it could change unseen.
    """

    path: Path
    waiting: dict[str, tuple[int, int] | None]
    changed: int | None = None
    since: float = -math.inf
    settled: bool = False

    def news(self, now: float, anyway: bool) -> Iterator[str]:
        """Runs that have a new record, if the folder's time has changed or it is listed anyway."""
        changed = _changed(self.path)
        if changed != self.changed:
            since, settled = now, False
        elif anyway or (not self.settled and now - self.since > COARSE):
            since, settled = self.since, now - self.since > COARSE
        else:
            return
        for run_id in self._there():
            stamp = _stamp(self.path, run_id)
            if stamp is not None and stamp != self.waiting[run_id]:
                yield run_id
        # Only now: who stops in between is told of the rest next time.
        self.changed, self.since, self.settled = changed, since, settled

    def begin(self) -> None:
        """Take what is there already as known."""
        self.waiting |= {run_id: _stamp(self.path, run_id) for run_id in self._there()}

    def _there(self) -> list[str]:
        names: list[str] = []
        with contextlib.suppress(OSError):
            names = os.listdir(self.path)  # noqa: PTH208  # thousands of names
        return [name[:-5] for name in names if name[:-5] in self.waiting and name[-5:] == ".json"]


class Watch:
    """Runs whose records are waited for.

    A folder of the store is listed when its own time of change shows that something is new, and
    once more when that has been still for a while, for the time may be coarse. One folder a look is
    listed whatever its time is: some file systems do not update it.
    """

    def __init__(self, store: Store, run_ids: Iterable[str]) -> None:
        waiting: dict[str, dict[str, tuple[int, int] | None]] = defaultdict(dict)
        for run_id in run_ids:
            waiting[run_id[:2]][run_id] = None
        self._of = {name: _Folder(store.root / name, runs) for name, runs in waiting.items()}
        self._folders = tuple(self._of.values())
        self._at = 0
        for folder in self._folders:
            folder.begin()

    def look(self, seconds: float = math.inf) -> Iterator[str]:
        """Runs that have a new record; after so many seconds the rest is left to the next look.

        A run is told once a change, until it is :meth:`done`.
        """
        end, count = time.monotonic() + seconds, len(self._folders)
        for step in range(count):
            folder = self._folders[(self._at + step) % count]
            for run_id in folder.news(time.monotonic(), anyway=step == 0 or math.isinf(seconds)):
                yield run_id
                if time.monotonic() > end:
                    break
            if time.monotonic() > end:
                self._at = (self._at + step + 1) % count
                return
        self._at = (self._at + 1) % max(count, 1)

    def done(self, run_id: str) -> None:
        """Wait for it no longer."""
        self._of[run_id[:2]].waiting.pop(run_id, None)


def _changed(folder: Path) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return None


def _stamp(folder: Path, run_id: str) -> tuple[int, int] | None:
    """Inode and time of a record's file: one that is repeated shows up as a change."""
    try:
        seen = os.lstat(f"{folder}/{run_id}.json")
    except OSError:
        return None
    return seen.st_ino, seen.st_mtime_ns
