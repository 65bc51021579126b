"""Several callers of one store: what others train is waited for, what they leave is taken over."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from nlbench.benchmark.executors.executor import CHECKPOINTS, remove_leftovers, settled
from nlbench.benchmark.runs.run import Context
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.claims import UNKNOWN, Claims, Owner
from nlbench.benchmark.store.store import Store

# Seconds between two looks at what others are doing, and between two lines about it.
LOOK = 1.0
SAY = 60.0
# Where a look takes long, as on a slow file system, this share of the time is for looking.
SHARE = 0.05
Specs = tuple[RunSpec, ...]


def unsettled(store: Store, specs: Sequence[RunSpec], replaces: Mapping[str, str]) -> Specs:
    """Those without a record, or with the one that is to be replaced."""
    return tuple(s for s in specs if not settled(store, s.run_id, replaces.get(s.run_id)))


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
    return _words(_owners(claims, specs).values())


def tidy(store: Store) -> None:
    """Remove what processes left that died, or were stopped between a record and its checkpoint."""
    # A half-written checkpoint too whose writer was not gone yet when its run was taken over.
    names = {path.name.lstrip(".") for path in (store.root / CHECKPOINTS).glob("*")}
    for run_id in {name.partition(".")[0] for name in names}:
        remove_leftovers(store, run_id)
    claims = Claims.of(store.root)
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
