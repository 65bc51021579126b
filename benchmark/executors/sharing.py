"""Several callers of one store: what others train is waited for, what they leave is taken over."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from nlbench.benchmark.executors.executor import (
    CHECKPOINTS,
    Worker,
    remove_leftovers,
    settled,
)
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.claim_file import UNKNOWN, Owner
from nlbench.benchmark.store.claims import Claims
from nlbench.benchmark.store.store import Store

# Seconds between two looks at what others are doing, and between two lines about it.
LOOK = 1.0
SAY = 60.0
# Where a look takes long, as on a slow file system, this share of the time is for looking.
SHARE = 0.05
# Of so many claims each is looked at, of more no more: there may be as many callers as claims, and
# each that starts or ends would visit all of them.
LOOKED_AT = 100
# Runs of others that a caller reaches for before it looks again what is free.
AT_ONCE = 20
# Of more runs than this, records are listed folder by folder and not asked for one by one.
LISTED = 1000
Specs = tuple[RunSpec, ...]


def unsettled(store: Store, specs: Sequence[RunSpec], replaces: Mapping[str, str]) -> Specs:
    """Those without a record, or with the one that is to be replaced."""
    left = tuple(specs)
    if len(left) > LISTED:
        there = set(store.ids())
        left = tuple(s for s in left if s.run_id in replaces or s.run_id not in there)
        if not replaces:
            return left
    return tuple(s for s in left if not settled(store, s.run_id, replaces.get(s.run_id)))


def own_part_first(
    worker: Worker,
    specs: Specs,
    part: Collection[RunSpec],
    begin: tuple[int, int],
    train: Callable[[Specs], Specs],
) -> Specs:
    """Train the runs of one's own part, then what nobody has, some at a time; what is left then.

    Args:
        worker: with the store of the runs.
        specs: what is to do.
        part: which of all runs are its own.
        begin: see :attr:`TrainOptions.begin`.
        train: trains some, and returns what is left of all.
    """
    left = specs
    mine = tuple(s for s in left if s in part) or unclaimed(worker.store, left, begin)
    while mine and not worker.context.late:
        before, left = left, train(mine)
        if left == before:  # others were faster
            time.sleep(LOOK)
        mine = unclaimed(worker.store, left, begin)
    return left


def unclaimed(store: Store, specs: Sequence[RunSpec], begin: tuple[int, int]) -> Specs:
    """The next of these that nobody claims: a few, for others reach for them too.

    Args:
        store: of the runs.
        specs: without a record.
        begin: see :attr:`TrainOptions.begin`.
    """
    claimed = set(Claims.of(store.root).runs())
    free = (spec for spec in turned(specs, begin) if spec.run_id not in claimed)
    return tuple(itertools.islice(free, AT_ONCE))


def turned(specs: Sequence[RunSpec], begin: tuple[int, int]) -> Specs:
    """The same for one of several callers, of whom each begins at another place."""
    number, of = begin
    start = len(specs) * (number - 1) // of
    return (*specs[start:], *specs[:start])


def wait_for_others(
    store: Store,
    specs: Sequence[RunSpec],
    replaces: Mapping[str, str],
    context: Context,
    say: Callable[[str], None],
) -> Specs:
    """Wait until every run is done, or one can be claimed, or it is too late to start any.

    Returns:
        What is to do then; empty if all are done.
    """
    claims, said, left = Claims.of(store.root), -SAY, tuple(specs)
    shown: tuple[str, ...] = ()
    while left and not context.late:
        begun = time.monotonic()
        owners = _owners(claims, left)
        # After the owners: who has gone in between may have left a record.
        left = unsettled(store, left, replaces)
        if any(owners.get(spec.run_id, UNKNOWN) is None for spec in left):
            break
        lines = _words(owners.get(spec.run_id) for spec in left)
        if lines and (lines != shown or time.monotonic() - said > SAY):
            shown, said = lines, time.monotonic()
            say(f"waiting for {len(left)} runs that others train: {'; '.join(lines)}")
        time.sleep(max(LOOK, (time.monotonic() - begun) / SHARE) if left else 0)
    return left


def others_words(claims: Claims, specs: Sequence[RunSpec]) -> tuple[str, ...]:
    """Who trains these runs, and how many each."""
    claimed = set(claims.runs())
    theirs = [spec for spec in specs if spec.run_id in claimed]
    more = len(theirs) - LOOKED_AT
    words = _words(_owners(claims, theirs[:LOOKED_AT]).values())
    return (*words, f"others ({more:,} runs)") if more > 0 else words


def tidy(store: Store) -> None:
    """Remove what processes left that died, or were stopped between a record and its checkpoint.

    Where many runs are in work, that is left to a later call; what stands in a run's way goes
    anyway, when it is taken over.
    """
    claims = Claims.of(store.root)
    # A half-written checkpoint too whose writer was not gone yet when its run was taken over.
    names = {path.name.lstrip(".") for path in (store.root / CHECKPOINTS).glob("*")}
    begun = {name.partition(".")[0] for name in names}
    if max(len(begun), len(claims.runs())) > LOOKED_AT:
        return
    for run_id in begun:
        remove_leftovers(store, run_id)
    for run_id in claims.abandoned():
        if (claim := claims.claim(run_id)) is not None:
            remove_leftovers(store, run_id)
            claim.release()


def _owners(claims: Claims, specs: Sequence[RunSpec]) -> dict[str, Owner | None]:
    """Who trains which of these runs; of those that nobody seems to claim, the first.

    Claims are listed, not asked for run by run: there may be a million runs. A listing may be old
    on a network file system, so that the first run without a claim is asked for.
    """
    listed = set(claims.runs())
    owners = {s.run_id: claims.owner(s.run_id) for s in specs if s.run_id in listed}
    free = next((spec.run_id for spec in specs if spec.run_id not in listed), None)
    return owners if free is None else {**owners, free: claims.owner(free)}


def _words(owners: Iterable[Owner | None]) -> tuple[str, ...]:
    counts = Counter(owner for owner in owners if owner is not None)
    return tuple(f"{owner} ({count} runs)" for owner, count in sorted(counts.items()))
