"""How records come into a store that may have others of the same runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.claims import Claims
from nlbench.benchmark.store.record import DamagedRecord, RunRecord
from nlbench.benchmark.store.store import Store

_PREFERENCE = {"ok": 0, "diverged": 0, "failed": 1}


@dataclass
class Merged:
    """What an import or a merge did, by run id.

    Attributes:
        added: runs the store did not have.
        same: runs whose record the store had already.
        replaced: runs of which the newcomer was preferred (:func:`preferred`).
        kept: runs of which the store's own record was preferred.
        disagreeing: lines for runs of which two finished records differ in their results.
        refused: one line per damaged or foreign record: which, and why.
    """

    added: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    disagreeing: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def preferred(one: RunRecord, other: RunRecord) -> RunRecord:
    """The record to keep of two of the same run: the same whichever comes first.

    A later version of a built-in method before an earlier one, and a recorded source of a method
    from outside before none; a finished run (ok or diverged) before a failed one; a clean commit
    before a changed or unknown tree; the earlier start, but the later one of a method from outside,
    whose files may have been edited in between; at last the smaller digest. This is a total order,
    so stores merged in any order and any grouping end up equal.
    """
    return min(one, other, key=_rank)


def merge(store: Store, found: Iterable[RunRecord | str]) -> Merged:
    """Take records into a store; a text among them is a line about one that was refused."""
    result, claims = Merged(), Claims.of(store.root)
    for record in found:
        if isinstance(record, str):
            result.refused.append(record)
        else:
            with claims.exclusive(record.run_id):  # read, compared and written as one
                _take(store, record, result)
    return result


def _take(store: Store, record: RunRecord, result: Merged) -> None:
    try:
        mine = store.read(record.run_id)
    except DamagedRecord as error:
        # A damaged file here is worth less than any sound record: it is replaced, and named.
        _write(store, record)
        result.refused.append(f"{error}; replaced by the sound record")
        result.replaced.append(record.run_id)
        return
    except UserError as error:
        result.refused.append(f"{error}; it is kept")
        return
    if mine is None:
        _write(store, record)
        result.added.append(record.run_id)
        return
    if _digest(mine) == _digest(record):
        result.same.append(record.run_id)
        return
    best = preferred(mine, record)
    if best is record:
        _write(store, record)
    (result.replaced if best is record else result.kept).append(record.run_id)
    if "failed" not in (mine.status, record.status) and mine.science() != record.science():
        other = "" if mine.method_source == record.method_source else ", of two sources,"
        result.disagreeing.append(
            f"{record.run_id} ({record.spec}): two finished records{other} differ:"
            f" {_words(best)} is kept, {_words(mine if best is record else record)} is not"
        )


def _write(store: Store, record: RunRecord) -> None:
    try:
        store.write(record)
    except OSError as error:
        raise UserError(
            f"store {store.root}: cannot be written ({error.strerror or error}); what came in is"
            " kept, the same command goes on"
        ) from error


def _rank(record: RunRecord) -> tuple[int, int, int, float, str]:
    source = record.method_source
    edited = source.startswith("sha256:")
    version = re.fullmatch(r"version (\d+)", source)
    environment = record.environment
    clean = environment.get("commit") is not None and environment.get("dirty") is False
    started = _seconds(str(record.timing.get("started")))
    return (
        -2 if edited else -int(version[1]) if version else -1,
        _PREFERENCE[record.status],
        0 if clean else 1,
        -started if edited and started < math.inf else started,
        _digest(record),
    )


def _seconds(started: str) -> float:
    """A time as a number; infinity where none is recorded."""
    try:
        return datetime.fromisoformat(started).timestamp()
    except ValueError:
        return math.inf


def _words(record: RunRecord) -> str:
    last = record.metrics.get("last")
    result = record.status if last is None else f"{100 * last:.2f} %"
    device = record.environment.get("device", "unknown device")
    return f"{result} on {device} of {record.timing.get('started', 'unknown time')}"


def _digest(record: RunRecord) -> str:
    return str(record.to_dict()["digest"])
