"""Store: a folder of records. Done = the file exists and verifies."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.noise import whole

MARKER = "nlbench-store"
MARKER_TEXT = "This folder holds nlbench run records, one JSON file a run (schema 1).\n"
DAMAGED = "damaged"
# A file on its way to its place: of the marker, of a record, of the cache that reports keep here.
TEMPORARY = re.compile(r"\.(nlbench-store|[0-9a-f]{16}\.json|report-cache\.npz)\.[a-z0-9_]{8}")


@dataclass(frozen=True)
class Swept:
    """What reading some runs came to.

    Attributes:
        sound: the records by run id.
        damaged: a line for each damaged file: what, why, where it was moved.
        foreign: run id -> why the record there is none that this version reads; it stays there.
    """

    sound: dict[str, RunRecord]
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
            OSError: there is none, or it cannot be read.
        """
        # What `path` does, without building a Path for each of a hundred thousand small files.
        with open(f"{self.root}/{run_id[:2]}/{run_id}.json", "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()

    def write(self, record: RunRecord) -> Path:
        """Write a record whole or not at all, replacing an older one of the same run."""
        path = self.path(record.run_id)
        path.parent.mkdir(exist_ok=True)
        whole.write_bytes(path, record.to_json().encode())
        return path

    def read(self, run_id: str) -> RunRecord | None:
        """The record of a run, ``None`` if there is none.

        Raises:
            DamagedRecord: the file is there but is not whole, or is another run's.
            UserError: a record of a newer schema.
        """
        path = self.path(run_id)
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            record = RunRecord.from_json(text)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        except DamagedRecord as error:
            raise DamagedRecord(f"{path}: {error}") from error
        if record.run_id != run_id:
            raise DamagedRecord(f"{path}: holds run {record.run_id}")
        return record

    def ids(self) -> Iterator[str]:
        """Run ids of all record files, sorted, unread."""
        for folder in sorted(p for p in self.root.glob("??") if p.is_dir()):
            for path in sorted(folder.glob("*.json")):
                yield path.stem

    def files(self) -> dict[str, tuple[int, int]]:
        """Size in bytes and time of change in nanoseconds of every record file, by run id."""
        found: dict[str, tuple[int, int]] = {}
        for folder in sorted(p for p in self.root.glob("??") if p.is_dir()):
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".json") and not entry.name.startswith("."):
                        seen = entry.stat()
                        found[entry.name.removesuffix(".json")] = (seen.st_size, seen.st_mtime_ns)
        return found

    def records(self, run_ids: Iterable[str] | None = None) -> Iterator[RunRecord]:
        """The sound records of these runs (all by default) in the order asked; missing are skipped.

        Raises:
            DamagedRecord: see :meth:`read`; :meth:`sweep` sets such files aside first.
        """
        for run_id in self.ids() if run_ids is None else run_ids:
            record = self.read(run_id)
            if record is not None:
                yield record

    def sweep(self, run_ids: Iterable[str]) -> Swept:
        """Read these runs; move damaged files to ``root/damaged/``."""
        sound: dict[str, RunRecord] = {}
        damaged: list[str] = []
        foreign: dict[str, str] = {}
        for run_id in run_ids:
            try:
                record = self.read(run_id)
            except DamagedRecord as error:
                damaged.append(f"{error}; set aside as {self._set_aside(run_id)}")
                continue
            except UserError as error:
                foreign[run_id] = str(error)
                continue
            if record is not None:
                sound[run_id] = record
        return Swept(sound, tuple(damaged), foreign)

    def _set_aside(self, run_id: str) -> Path:
        folder = self.root / DAMAGED
        folder.mkdir(exist_ok=True)
        taken = len(list(folder.glob(f"{run_id}*")))
        target = folder / f"{run_id}.{taken}.json"
        self.path(run_id).replace(target)
        return target


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


def _remove_leftovers(root: Path) -> None:
    """Remove the temporary files of writes that were killed."""
    for folder in (root, *(p for p in root.glob("??") if p.is_dir())):
        with os.scandir(folder) as entries:
            for entry in entries:
                if TEMPORARY.fullmatch(entry.name):
                    whole.remove_if_left(Path(entry.path))
