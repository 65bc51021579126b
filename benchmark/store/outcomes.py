"""How the runs of a store ended, most of them without reading their records."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store import index
from nlbench.benchmark.store.collector import collector_paused
from nlbench.benchmark.store.index import Entry, Facts, Index
from nlbench.benchmark.store.store import Stamp, Store, Swept

# So many records are read again by each call before it writes the index: a tenth of a second.
FEW = 200


class Outcome(NamedTuple):
    """How a run ended. A tuple, for there may be a million.

    Attributes:
        spec: the run.
        changed: when its record's file was last changed, ns.
        seconds: how long it took.
        facts: see there.
    """

    spec: RunSpec
    changed: int
    seconds: float
    facts: Facts

    @property
    def run_id(self) -> str:
        """The identity of the run."""
        return self.spec.run_id

    @property
    def status(self) -> str:
        """That of the record."""
        return self.facts.status


@dataclass(frozen=True)
class Outcomes:
    """What is known of some runs.

    Attributes:
        sound: the outcomes by run id, in the order asked.
        damaged, foreign: as of :class:`Swept`.
        note: why the next call reads the same records again, empty if it does not.
    """

    sound: dict[str, Outcome] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()
    foreign: dict[str, str] = field(default_factory=dict)
    note: str = ""


@collector_paused()
def outcomes(store: Store, specs: Sequence[RunSpec]) -> Outcomes:
    """How these runs ended, as far as they did; sets damaged records aside.

    A record whose file has the size and time that the store's index knows is taken as it was read
    and verified then; all others are read, and the index is written anew if they are many.
    """
    now, known = time.time_ns(), index.load(store.root)
    wanted = {spec.run_id: spec for spec in specs}
    keep = np.zeros(len(known), bool)
    found: dict[str, Outcome] = {}
    unread: dict[str, Stamp] = {}
    # The index is not written for a few, so the folders of others need not be looked at.
    folders = {run_id[:2] for run_id in wanted} if len(wanted) < FEW else None
    for folder, why, files in store.listed(folders):
        if why:
            unread |= {run_id: (0, 0) for run_id in wanted if run_id[:2] == folder.name}
            continue
        for at, run_id, entry in _unchanged(known, folder.name, files):
            keep[at] = True
            del files[run_id]
            if run_id in wanted:
                found[run_id] = _outcome(wanted[run_id], entry)
        unread |= {run_id: files[run_id] for run_id in sorted(wanted.keys() & files.keys())}
    swept, new = _read(store, unread, now)
    found |= {run_id: _outcome(wanted[run_id], entry) for run_id, entry in new.items()}
    note = "" if len(new) < FEW else index.save(store.root, known.with_changes(keep, new))
    sound = {spec.run_id: found[spec.run_id] for spec in specs if spec.run_id in found}
    return Outcomes(sound, swept.damaged, swept.foreign, note)


def _unchanged(
    known: Index, folder: str, files: Mapping[str, Stamp]
) -> Iterator[tuple[int, str, Entry]]:
    for at, run_id, entry in known.folder(folder):
        if entry.is_of(files.get(run_id)):
            yield at, run_id, entry


def _outcome(spec: RunSpec, entry: Entry) -> Outcome:
    return Outcome(spec, entry.changed, entry.seconds, entry.facts)


def _read(
    store: Store, files: Mapping[str, Stamp], now: int
) -> tuple[Swept[tuple[float, Facts]], dict[str, Entry]]:
    """Read records; what comes of it, and entries of the sound ones."""
    swept = store.sweep(files, index.facts_of)
    return swept, {
        run_id: Entry(*files[run_id], now, *facts) for run_id, facts in swept.sound.items()
    }
