"""Read a study's records from a store, only those that have changed since the last report."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tqdm import tqdm

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.collector import collector_paused
from nlbench.benchmark.store.record import DamagedRecord, proven_digest
from nlbench.benchmark.store.store import Store
from nlbench.benchmark.store.verified import verified
from nlbench.reports.parallel import results
from nlbench.reports.read import cache
from nlbench.reports.read.cache import PART, Part
from nlbench.reports.read.columns import Arrays, Entry, encode
from nlbench.reports.read.extract import Extractor, Intake, nothing
from nlbench.reports.read.study import Study


@dataclass(frozen=True)
class Read:
    """The outcome of reading.

    Attributes:
        intake: what the report is made of.
        damaged: a line per damaged record: which, why, where it was moved.
        foreign: a line per file or folder that is left where it is, and why; the runs count as
            missing.
        fresh: records that were opened now; the others are as they were last time.
        note: why the next report will have to read them again, empty if it will not.
    """

    intake: Intake
    damaged: tuple[str, ...]
    foreign: tuple[str, ...]
    fresh: int
    note: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A record to open: its run, size and time of its file, its digest when it was last read."""

    spec: RunSpec
    file: tuple[int, int]
    digest: str


@dataclass
class _Opened:
    """What opening records came to, each run id in one of them.

    Attributes:
        entries: those that are new or have changed.
        same: those whose content is what it was.
        damaged: those to be set aside.
        foreign: those that are not of this schema, and why.
        parts: the entries as another process sent them.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    foreign: dict[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


def read_records(study: Study, store: Store, cached: bool = True, workers: int = 1) -> Read:
    """Take in the study's records.

    A record whose file has the size and time of change of the last report is taken as it was read
    and verified then; one with another time but the same content (by its digest) too. All
    others are read and verified. Damaged ones are set aside in the store, those of another schema
    left where they are; both are named and count as missing.

    Args:
        study: the declared runs.
        store: where their records are.
        cached: whether to use what the last report kept; everything is read again otherwise.
        workers: processes that open records, where there are thousands.

    Raises:
        ReportError: no record of the study can be read.
    """
    with collector_paused():
        parts = list(cache.load(store.root)) if cached else []
        known = {run_id: entry for part in parts for run_id, entry in part.entries.items()}
        files, now = store.files(), time.time_ns()
        entries, wanted = _sorted_out(study, files, known)
        damaged: list[str] = []
        foreign = store.closed()
        for opened in _opened(store, wanted, now, workers):
            parts += opened.parts
            entries |= opened.entries
            for run_id in opened.same:
                size, changed = files[run_id]
                entries[run_id] = replace(known[run_id], size=size, changed=changed, seen=now)
            swept = store.sweep(opened.damaged, lambda record: record)
            damaged += swept.damaged
            foreign += [
                f"run {run_id}, which counts as missing: {why}"
                for run_id, why in (opened.foreign | swept.foreign).items()
            ]
        found = {run_id: entry for run_id, entry in entries.items() if entry is not None}
        if not found:
            raise nothing(study, "; ".join([*foreign[:1], *damaged[:1]]) or "no records")
        kept = {run_id: entry for run_id, entry in known.items() if run_id in files}
        stale = bool(wanted) or len(kept) < len(known)
        note = cache.save(store.root, kept | found, parts) if stale else ""
    taken = {run_id: entry.taken for run_id, entry in found.items()}
    return Read(Intake(taken, tuple(foreign)), tuple(damaged), tuple(foreign), len(wanted), note)


def _sorted_out(
    study: Study, files: Mapping[str, tuple[int, int]], known: Mapping[str, Entry]
) -> tuple[dict[str, Entry | None], list[_Wanted]]:
    """The runs with a file in the order of the study, and those of them that must be opened.

    An entry that must be opened is ``None``: its place.
    """
    entries: dict[str, Entry | None] = {}
    wanted: list[_Wanted] = []
    for spec in study.specs:
        file, old = files.get(spec.run_id), known.get(spec.run_id)
        if file is None:
            continue
        same = old is not None and old.same_file(*file)
        entries[spec.run_id] = old if same else None
        if not same:
            wanted.append(_Wanted(spec, file, "" if old is None else old.digest))
    return entries, wanted


def _opened(store: Store, wanted: Sequence[_Wanted], now: int, workers: int) -> Iterator[_Opened]:
    """What opening them comes to, chunk by chunk in order; one chunk needs no other process."""
    chunks = [wanted[at : at + PART] for at in range(0, len(wanted), PART)]
    with tqdm(total=len(wanted), desc="reading", unit="record", disable=None) as bar:
        if workers == 1 or len(chunks) < 2:
            for chunk in chunks:
                yield _open(store, chunk, now)
                bar.update(len(chunk))
            return
        jobs = (partial(_sent, store, chunk, now) for chunk in chunks)
        sent = results(jobs, workers, ahead="2 * n_jobs")
        for chunk, (opened, arrays) in zip(chunks, sent, strict=True):
            part = Part.of(arrays)
            yield replace(opened, entries=dict(part.entries), parts=(part,))
            bar.update(len(chunk))


def _sent(store: Store, wanted: Sequence[_Wanted], now: int) -> tuple[_Opened, Arrays]:
    """The same from another process: entries as arrays, which are sent a good deal faster."""
    with collector_paused():
        opened = _open(store, wanted, now)
        return replace(opened, entries={}), encode(opened.entries)


def _open(store: Store, wanted: Sequence[_Wanted], now: int) -> _Opened:
    opened, keep = _Opened(), Extractor()
    for want in wanted:
        run_id = want.spec.run_id
        try:
            entry = _entry(store, want, now, keep)
        except FileNotFoundError:
            continue
        except DamagedRecord:
            opened.damaged.append(run_id)
        except UserError as error:
            opened.foreign[run_id] = str(error)
        else:
            if entry is None:
                opened.same.append(run_id)
            else:
                opened.entries[run_id] = entry
    return opened


def _entry(store: Store, want: _Wanted, now: int, keep: Extractor) -> Entry | None:
    """One record, parsed only if its content is not what it was; ``None`` if it is.

    Raises:
        FileNotFoundError: it is gone meanwhile.
        DamagedRecord, UserError: see :func:`verified`.
    """
    content = store.content(want.spec.run_id)
    digest = proven_digest(content)
    if digest is not None and digest == want.digest:
        return None
    record = verified(content, want.spec, digest)
    if record.run_id != want.spec.run_id:
        raise DamagedRecord(f"holds run {record.run_id}")
    return Entry(*want.file, now, digest or "", keep(record))
