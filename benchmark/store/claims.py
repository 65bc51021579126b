"""Claims: which process trains a run, so that several callers of one store share the work.

A claim is a file that only one process can make. Its owner holds a lock on it and renews its time
until it is released. A claim is dead, and taken over by renaming it away, if its time has not been
renewed for long by the file server's own clock, or if its owner was a process of this machine, or
died before it had written its name, and its lock is free: the kernel frees it whatever ended the
owner. If a living claim is ever taken,
time is lost and nothing else: equal runs leave equal records.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from nlbench.benchmark.store.claim_file import Owner, Seen, alone, lock, same

FOLDER = "claims"
# Seconds between two renewals, and how long without one a claim is alive. Clients of a network file
# system may see times that are a minute old.
BEAT = 10.0
STALE = 120.0
# Seconds after which an empty claim that nobody locks is dead: its maker names itself at once, so
# one that was killed before that never will.
UNNAMED = 5.0
_SUFFIX = ".claim"
_WRITE, _WAIT = "write-", 0.005  # claims to write a record, and seconds between two tries


class Claim:
    """A run that is this process's to train, until it is released.

    Attributes:
        inherited: whether another process had it and died, and may have left files.
    """

    def __init__(self, path: Path, descriptor: int, inherited: bool) -> None:
        self.inherited = inherited
        self._path = path
        self._descriptor = descriptor

    def renew(self) -> None:
        """Show that its owner is alive; the time is that of the file server."""
        os.utime(self._descriptor)

    def release(self) -> None:
        """Let others have it, unless one has taken it already."""
        with contextlib.suppress(OSError):  # what is left of it is dead as soon as it is closed
            if same(self._path.lstat(), os.fstat(self._descriptor)):
                self._path.unlink()
        os.close(self._descriptor)


@dataclass(frozen=True)
class Claims:
    """The claims of a store.

    Attributes:
        folder: of their files; made when the first is.
        stale: seconds without a renewal after which a claim is dead.
    """

    folder: Path
    stale: float = STALE

    @classmethod
    def of(cls, store: Path) -> Claims:
        """Those of the runs of a store's folder."""
        return cls(store / FOLDER)

    def claim(self, run_id: str) -> Claim | None:
        """Claim a run, ``None``: another process has it.

        What is recorded of the run has to be looked at again after this, for its last owner may
        just have finished it.

        Raises:
            OSError: the claim cannot be written.
        """
        path = self._path(run_id)
        made = self._make(path)
        if made is not None or not self._bury(path):
            return made
        return self._make(path, inherited=True)

    @contextlib.contextmanager
    def exclusive(self, run_id: str) -> Iterator[None]:
        """Within, no other process is within for this run: for what takes milliseconds.

        It does not wait for who trains the run.
        """
        while (claim := self.claim(f"{_WRITE}{run_id}")) is None:
            time.sleep(_WAIT)
        try:
            yield
        finally:
            claim.release()

    def owner(self, run_id: str) -> Owner | None:
        """Who trains a run now; ``None``: nobody who is alive."""
        with Seen(self._path(run_id)) as seen:
            return seen.owner if seen.there and not self._dead(seen) else None

    def abandoned(self) -> tuple[str, ...]:
        """The runs of dead claims."""
        return tuple(run_id for run_id in self.runs() if self.owner(run_id) is None)

    def runs(self) -> tuple[str, ...]:
        """The runs that somebody claims, dead or alive."""
        return tuple(sorted(p.stem for p in self.folder.glob(f"*{_SUFFIX}") if p.name[0] != "."))

    def _path(self, run_id: str) -> Path:
        return self.folder / f"{run_id}{_SUFFIX}"

    def _make(self, path: Path, inherited: bool = False) -> Claim | None:
        """Make the file, which only one process can."""
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        name = json.dumps(vars(Owner.here())).encode()
        try:
            try:
                descriptor = os.open(path, flags, 0o644)
            except FileNotFoundError:
                self.folder.mkdir(exist_ok=True)
                descriptor = os.open(path, flags, 0o644)
        except FileExistsError:
            return None
        made = Claim(path, descriptor, inherited)
        try:
            # The lock comes first: who reads the owner's name must be able to rely on it.
            lock(descriptor)
            os.write(descriptor, name)
        except OSError:
            made.release()
            raise
        return made

    def _bury(self, path: Path) -> bool:
        """Take a dead claim out of the way; whether there may be none now."""
        with Seen(path) as seen:
            if not seen.there:
                return True
            if not self._dead(seen):
                return False
            aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
            try:
                # Who is late finds another's new claim in its place, and leaves it there.
                with alone(self.folder):
                    if not seen.unchanged():
                        return False
                    path.rename(aside)
            except FileNotFoundError:
                return True
            if not seen.is_at(aside):  # so late that it took the new claim
                with contextlib.suppress(OSError):
                    os.link(aside, path, follow_symlinks=False)
            with contextlib.suppress(OSError):  # whatever stood there, it is out of the way
                aside.rmdir() if seen.is_folder else aside.unlink()
            return True

    def _dead(self, seen: Seen) -> bool:
        if seen.owner.machine == Owner.here().machine and seen.locks():
            return True
        patience = UNNAMED if seen.is_empty and seen.locks() else self.stale
        return self._now() - seen.renewed > patience

    def _now(self) -> float:
        """The time of the file server."""
        with tempfile.TemporaryFile(dir=self.folder) as file:
            os.utime(file.fileno())
            return os.fstat(file.fileno()).st_mtime


class Held:
    """The claims that this process holds, renewed by a thread; all are released at the end."""

    def __init__(self, claims: Claims, beat: float = BEAT) -> None:
        self._claims = claims
        self._beat = beat
        self._mine: dict[str, Claim] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Held:
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
        self.release(tuple(self._mine))

    def __len__(self) -> int:
        return len(self._mine)

    def take(self, run_id: str) -> Claim | None:
        """See :meth:`Claims.claim`."""
        claim = self._claims.claim(run_id)
        if claim is not None:
            with self._lock:
                self._mine[run_id] = claim
        return claim

    def release(self, run_ids: Iterable[str]) -> None:
        """Let others have these; what is not held is left."""
        with self._lock:
            for run_id in run_ids:
                if claim := self._mine.pop(run_id, None):
                    claim.release()

    def renew(self) -> None:
        """Show once that their owner is alive."""
        with self._lock:
            for claim in self._mine.values():
                with contextlib.suppress(OSError):  # a server that is away for a moment
                    claim.renew()

    def _renew(self) -> None:
        while not self._stop.wait(self._beat):
            self.renew()
