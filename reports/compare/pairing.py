"""Pairing audit: may two methods be compared seed by seed in a condition?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.read.cells import Cell
from nlbench.reports.read.fields import PAIRING


@dataclass(frozen=True)
class Pairing:
    """What two cells have in common.

    Attributes:
        seeds: seeds that both have a value for, ascending.
        expected: number of seeds declared for both.
        a: (len(seeds),) values of the first.
        b: (len(seeds),) values of the second.
        broken: fingerprints that differ or are not recorded -> the seeds where.
    """

    seeds: tuple[int, ...]
    expected: int
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    broken: dict[str, tuple[int, ...]]

    @property
    def paired(self) -> bool:
        """Whether data, labels, split, init, order and augmentation agree in every seed."""
        return not self.broken

    def reason(self) -> str:
        """Why the cells are not paired, in words; empty if they are."""
        return "; ".join(
            f"{key} differ at seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
            for key, seeds in self.broken.items()
        )


def match(a: Cell, b: Cell, free: Collection[str] = ()) -> Pairing:
    """Line two cells up by seed and check their fingerprints.

    A fingerprint that is not recorded proves nothing, so it counts as broken.

    Args:
        a: one cell.
        b: the other.
        free: fingerprints that differ on purpose and are not compared.
    """
    if a.seeds == b.seeds and a.pairing == b.pairing and not any(None in p for p in a.pairing):
        return _whole(a, b)
    at_a = {seed: i for i, seed in enumerate(a.seeds)}
    at_b = {seed: i for i, seed in enumerate(b.seeds)}
    declared = [seed for seed in a.seeds if seed in at_b]
    seeds = [s for s in declared if a.known[at_a[s]] and b.known[at_b[s]]]
    broken: dict[str, list[int]] = {}
    for seed in seeds:
        prints = zip(PAIRING, a.pairing[at_a[seed]], b.pairing[at_b[seed]], strict=True)
        for key, mine, other in prints:
            if key not in free and (mine is None or mine != other):
                broken.setdefault(key, []).append(seed)
    return Pairing(
        seeds=tuple(seeds),
        expected=len(declared),
        a=a.values[[at_a[s] for s in seeds]],
        b=b.values[[at_b[s] for s in seeds]],
        broken={key: tuple(where) for key, where in broken.items()},
    )


def _whole(a: Cell, b: Cell) -> Pairing:
    """The same for cells whose seeds and fingerprints all agree, as they mostly do."""
    known = a.known & b.known
    return Pairing(
        seeds=tuple(seed for seed, has in zip(a.seeds, known.tolist(), strict=True) if has),
        expected=len(a.seeds),
        a=a.values[known],
        b=b.values[known],
        broken={},
    )


def condition_note(cell: Cell, paired: bool) -> str:
    """What a reader has to know about a cell, in words; empty if it is whole.

    Args:
        cell: the cell.
        paired: whether it is paired with all other cells of its condition.
    """
    notes = [] if cell.complete else [f"{cell.summary.n} of {cell.expected} seeds"]
    counts = {status: cell.count(status) for status in ("failed", "diverged")}
    notes += [f"{count} {status}" for status, count in counts.items() if count]
    collapsed = int(cell.collapsed.sum()) - cell.count("diverged")
    if collapsed > 0:
        notes.append(f"{collapsed} collapsed")
    if not paired:
        notes.append("not paired")
    return ", ".join(notes)
