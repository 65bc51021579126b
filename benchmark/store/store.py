"""Store: a folder of records. Done = the file exists and verifies."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.files import ForeignFolderError, kind, plain_bytes
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.benchmark.store.verified import verified
from nlbench.noise import whole

MARKER = "nlbench-store"
MARKER_TEXT = "This folder holds nlbench run records, one JSON file a run (schema 1).\n"
DAMAGED = "damaged"
FOLDER, RECORD = re.compile(r"[0-9a-f]{2}"), re.compile(r"[0-9a-f]{16}\.json")
# A file on its way to its place: of the marker, of a record, of what reports and plans keep here.
TEMPORARY = re.compile(
    r"\.(nlbench-store|[0-9a-f]{16}\.json|report-cache\.npz|run-index\.npz)\.[a-z0-9_]{8}"
)
# Size in bytes and time of change in nanoseconds.
Stamp = tuple[int, int]
T = TypeVar("T")


@dataclass(frozen=True)
class Swept(Generic[T]):
    """What reading some runs came to.

    Attributes:
        sound: what was kept of the records, by run id.
        damaged: a line for each damaged file: what, why, where it was moved.
        foreign: run id -> why the record there is none that this version reads, or why a damaged
            one cannot be moved; it stays there.
    """

    sound: dict[str, T]
    damaged: tuple[str, ...]
    foreign: dict[str, str]


@dataclass(frozen=True)
class Store:
    """Run records under ``root/ab/abcdef....json``; safe with many writers, no server, no lock.

    A record is written to a temporary file in the same folder, fsynced and renamed, so a reader
    finds a whole record or none, and ``kill -9`` loses at most the runs in flight.
    """

    root: Path

    @classmethod
    def open(cls, root: Path, create: bool = False) -> Store:
        """Open a store; ``create`` makes one where there is nothing or an empty folder.

        What killed writes left does not count as content, and with ``create`` it is removed. Any
        number of processes may make the same store at the same time.

        Raises:
            UserError: no such folder, not a folder, an empty folder (without ``create``), or a
                folder with other things in it: nothing is ever written among foreign files.
        """
        try:
            made = _is_store(root)
            if create:
                if not made:
                    root.mkdir(parents=True, exist_ok=True)
                    whole.write_bytes(root / MARKER, MARKER_TEXT.encode())
                _remove_leftovers(root)
        except OSError as error:
            what = "made" if create else "read"
            raise UserError(f"store {root}: cannot be {what} ({error.strerror})") from error
        if not (made or create):
            what = "is empty" if root.is_dir() else "does not exist"
            raise UserError(f"store {root}: {what}; `nlbench run SUITE` fills one")
        return cls(root)

    def path(self, run_id: str) -> Path:
        """Where the record of a run is, or would be."""
        return self.root / run_id[:2] / f"{run_id}.json"

    def content(self, run_id: str) -> bytes:
        """The bytes of a record's file, unread.

        Raises:
            FileNotFoundError: there is none.
            DamagedRecord: what is there is no plain file of a record's size, or may not be read.
            UserError: it cannot be read now, or its folder is a link or no folder.
        """
        # What `path` does, without building a Path for each of a hundred thousand small files.
        path = f"{self.root}/{run_id[:2]}/{run_id}.json"
        try:
            return plain_bytes(path)
        except FileNotFoundError:
            raise
        except (OSError, ForeignFolderError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"{path}: cannot be read ({reason})") from error

    def write(self, record: RunRecord) -> Path:
        """Write a record whole or not at all, replacing an older one of the same run.

        Raises:
            OSError: it cannot be written.
        """
        path = self.path(record.run_id)
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir()
        if path.parent.is_symlink():
            raise OSError(errno.ELOOP, "the folder of a record is a link")
        # Whoever writes to a link or a pipe writes somewhere else.
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            self._set_aside(record.run_id)
        whole.write_bytes(path, record.to_json().encode())
        return path

    def read(self, run_id: str) -> RunRecord | None:
        """The record of a run, ``None`` if there is none.

        Raises:
            DamagedRecord: the file is there but is not whole, does not hold together, or is another
                run's.
            UserError: a record of a newer schema, or a file that cannot be read now.
        """
        path = self.path(run_id)
        try:
            content = self.content(run_id)
        except FileNotFoundError:
            return None
        except DamagedRecord as error:
            raise DamagedRecord(f"{path}: {error}") from error
        try:
            record = verified(content)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        except DamagedRecord as error:
            raise DamagedRecord(f"{path}: {error}") from error
        if record.run_id != run_id:
            raise DamagedRecord(f"{path}: holds run {record.run_id}")
        return record

    def ids(self) -> Iterator[str]:
        """Run ids of all record files, sorted, unread."""
        for _, _, files in self.listed():
            yield from sorted(files)

    def files(self) -> dict[str, Stamp]:
        """Size in bytes and time of change in nanoseconds of every record file, by run id.

        Folders that are links, or may not be listed, are left out; :meth:`closed` names them.
        """
        return {run_id: file for _, _, files in self.listed() for run_id, file in files.items()}

    def listed(
        self, names: Collection[str] | None = None
    ) -> Iterator[tuple[Path, str, dict[str, Stamp]]]:
        """The folders of records, sorted, why one is not read, and its :meth:`files`.

        Args:
            names: of the folders, such as ``ab``; all by default.
        """
        for folder, why in self._folders(names):
            yield folder, why, {} if why else _files(folder)

    def closed(self) -> list[str]:
        """A line for each folder of records that is not read, and why."""
        return [
            f"{folder}: {why}; what is in it is left alone"
            for folder, why in self._folders()
            if why
        ]

    def _folders(self, names: Collection[str] | None = None) -> Iterator[tuple[Path, str]]:
        """The folders of records, sorted, and why one is not read."""
        found = (p for p in self.root.glob("??") if FOLDER.fullmatch(p.name))
        for folder in sorted(p for p in found if names is None or p.name in names):
            if not stat.S_ISDIR((seen := folder.lstat()).st_mode):
                yield folder, f"is {kind(seen)}"
            else:
                readable = os.access(folder, os.R_OK | os.X_OK)
                yield folder, "" if readable else "cannot be read (Permission denied)"

    def records(self, run_ids: Iterable[str] | None = None) -> Iterator[RunRecord]:
        """The sound records of these runs (all by default) in the order asked; missing are skipped.

        Raises:
            DamagedRecord: see :meth:`read`; :meth:`sweep` sets such files aside first.
        """
        for run_id in self.ids() if run_ids is None else run_ids:
            record = self.read(run_id)
            if record is not None:
                yield record

    def sweep(self, run_ids: Iterable[str], keep: Callable[[RunRecord], T]) -> Swept[T]:
        """Read these runs; move damaged files to ``root/damaged/`` where they can be moved.

        Args:
            run_ids: which.
            keep: what to keep of a record; one after the other is read.
        """
        sound: dict[str, T] = {}
        damaged: list[str] = []
        foreign: dict[str, str] = {}
        for run_id in run_ids:
            try:
                record = self.read(run_id)
            except DamagedRecord as error:
                try:
                    place = self._set_aside(run_id)
                    record = None if place else self.read(run_id)
                except (OSError, DamagedRecord) as failed:
                    reason = getattr(failed, "strerror", None) or failed
                    foreign[run_id] = f"{error}; it cannot be set aside ({reason})"
                    continue
                if place:
                    damaged.append(f"{error}; set aside as {place}")
            except UserError as error:
                foreign[run_id] = str(error)
                continue
            if record is not None:
                sound[run_id] = keep(record)
        return Swept(sound, tuple(damaged), foreign)

    def _set_aside(self, run_id: str) -> Path | None:
        """Move a damaged file away; ``None`` if another process has, or has written a record.

        Raises:
            OSError: it cannot be moved.
        """
        folder, path = self.root / DAMAGED, self.path(run_id)
        folder.mkdir(exist_ok=True)
        if folder.is_symlink():
            raise OSError(errno.ELOOP, f"{folder} is a link")
        target = folder / f"{run_id}.{secrets.token_hex(4)}.json"
        try:
            path.rename(target)
        except FileNotFoundError:
            return None
        try:
            verified(plain_bytes(str(target)))
        except (DamagedRecord, UserError, OSError):
            return target
        # A record that was written after the damaged one was read.
        with contextlib.suppress(FileExistsError):
            os.link(target, path)
        target.unlink()
        return None


def _is_store(root: Path) -> bool:
    """Whether the folder is a store; not so if it is absent, or has nothing but our leftovers.

    Raises:
        UserError: a file, or a folder of something else.
    """
    if root.exists() and not root.is_dir():
        raise UserError(f"store {root}: is a file; a store is a folder")
    # Listed before the marker is looked for: in a store that others are making right now the marker
    # comes first, so what is listed although there is no marker afterwards is foreign.
    names = sorted(p.name for p in root.iterdir()) if root.is_dir() else []
    if (root / MARKER).is_file():
        return True
    foreign = [name for name in names if not TEMPORARY.fullmatch(name)]
    if foreign:
        raise UserError(
            f"store {root}: not an nlbench store (no file {MARKER!r} in it, but {foreign[0]!r});"
            " nothing is written among other files"
        )
    return False


def _files(folder: Path) -> dict[str, Stamp]:
    """Size and time of the record files in a folder, by run id."""
    found: dict[str, Stamp] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if RECORD.fullmatch(entry.name) and entry.name[:2] == folder.name:
                seen = entry.stat(follow_symlinks=False)
                found[entry.name[:16]] = (seen.st_size, seen.st_mtime_ns)
    return found


def _remove_leftovers(root: Path) -> None:
    """Remove the temporary files of writes that were killed."""
    for folder in (root, *(p for p in root.glob("??") if p.is_dir() and not p.is_symlink())):
        with contextlib.suppress(PermissionError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name[0] == "." and TEMPORARY.fullmatch(entry.name):
                    whole.remove_if_left(Path(entry.path))
