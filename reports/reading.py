"""Read a study's records from a store, only those that have changed since the last report."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from benchmark.errors import UserError
from benchmark.record import DamagedRecord, RunRecord, proven_digest
from benchmark.spec import RunSpec
from benchmark.store import Store
from reports import cache
from reports.cache import Entry
from reports.intake import Intake, Keeper, nothing
from reports.study import Study


@dataclass(frozen=True)
class Read:
    """The outcome of reading.

    Attributes:
        intake: what the report is made of.
        damaged: a line per damaged record: which, why, where it was moved.
        fresh: records that were opened now; the others are as they were last time.
        note: why the next report will have to read them again, empty if it will not.
    """

    intake: Intake
    damaged: tuple[str, ...]
    fresh: int
    note: str


def read(study: Study, store: Store, cached: bool = True) -> Read:
    """Take in the study's records.

    A record whose file has the size and time of change of the last report is taken as it was read
    and verified then; one with another time but the same content (its digest says so) too. All
    others are read and verified. Damaged ones are set aside in the store, those of another schema
    left where they are; both are named and count as missing.

    Args:
        study: the declared runs.
        store: where their records are.
        cached: whether to use what the last report kept; everything is read again otherwise.

    Raises:
        ReportError: no record of the study can be read.
    """
    known = cache.load(store.root) if cached else {}
    entries: dict[str, Entry] = {}
    damaged: list[str] = []
    foreign: list[str] = []
    keep, now, fresh = Keeper(), time.time_ns(), 0
    files = store.files()
    with _collector_paused():
        for spec in study.specs:
            if spec.run_id not in files:
                continue
            old = known.get(spec.run_id)
            if old is not None and old.same_file(*files[spec.run_id]):
                entries[spec.run_id] = old
                continue
            fresh += 1
            try:
                entries[spec.run_id] = _entry(store, spec, files[spec.run_id], now, old, keep)
            except DamagedRecord:
                damaged += store.sweep([spec.run_id])[1]
            except UserError as error:
                foreign.append(f"run {spec.run_id}, which counts as missing: {error}")
    if not entries:
        raise nothing(study, "; ".join([*foreign[:1], *damaged[:1]]) or "no records")
    kept = {run_id: entry for run_id, entry in known.items() if run_id in files}
    stale = fresh > 0 or len(kept) < len(known)
    note = cache.save(store.root, kept | entries) if stale else ""
    taken = {run_id: entry.taken for run_id, entry in entries.items()}
    return Read(Intake(taken, tuple(foreign)), tuple(damaged), fresh, note)


def _entry(
    store: Store, spec: RunSpec, file: tuple[int, int], now: int, old: Entry | None, keep: Keeper
) -> Entry:
    """One record, parsed only if its content is not what it was.

    Raises:
        DamagedRecord, UserError: see :meth:`RunRecord.from_json`.
    """
    content = store.path(spec.run_id).read_bytes()
    digest = proven_digest(content)
    if old is not None and digest is not None and digest == old.digest:
        return replace(old, size=file[0], changed=file[1], seen=now)
    record = RunRecord.from_json(content, spec)
    if record.run_id != spec.run_id:
        raise DamagedRecord(f"holds run {record.run_id}")
    return Entry(*file, now, digest or "", keep(record))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage collection: many records have no cycles, but much to look through."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
