"""Several callers of one store: what others train is waited for, what they leave is taken over."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from nlbench.benchmark.executors.executor import remove_leftovers, settled
from nlbench.benchmark.runs.run import Context
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.claims import Claims, Owner
from nlbench.benchmark.store.store import Store

# Seconds between two looks at what others are doing, and between two lines about it.
LOOK = 1.0
SAY = 60.0
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
        owners = {spec.run_id: claims.owner(spec.run_id) for spec in left}
        # After the owners: who has gone in between may have left a record.
        left = unsettled(store, left, replaces)
        if any(owners[spec.run_id] is None for spec in left):
            break
        lines = _words(owners[spec.run_id] for spec in left)
        if lines and (lines != shown or time.monotonic() - said > SAY):
            shown, said = lines, time.monotonic()
            say(f"waiting for {len(left)} runs that others train: {'; '.join(lines)}")
        time.sleep(LOOK if left else 0)
    return left


def others_words(claims: Claims, specs: Sequence[RunSpec]) -> tuple[str, ...]:
    """Who trains these runs, and how many each."""
    return _words(claims.owner(spec.run_id) for spec in specs)


def tidy(store: Store) -> None:
    """Remove what processes left that died."""
    claims = Claims.of(store.root)
    for run_id in claims.abandoned():
        if (claim := claims.claim(run_id)) is not None:
            remove_leftovers(store, run_id)
            claim.release()


def _words(owners: Iterable[Owner | None]) -> tuple[str, ...]:
    counts = Counter(owner for owner in owners if owner is not None)
    return tuple(f"{owner} ({count} runs)" for owner, count in sorted(counts.items()))
