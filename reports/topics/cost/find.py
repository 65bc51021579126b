"""Find runs that recorded their cost, and compare each with cross-entropy's of the same labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.render.told import privileges
from nlbench.reports.stats import Interval, mean_interval

# Column of a run -> how tables call it.
COUNTED = {
    "passes": "passes",
    "images_forward": "images forward",
    "images_backward": "images backward",
}
MEASURED = {"seconds": "seconds", "peak_memory": "memory"}
QUANTITIES = {**COUNTED, **MEASURED}
# What must be equal for two measurements to be compared.
MACHINE = ["device", "threads", "backend", "torch"]
_PLACE = ["condition", "seed"]


@dataclass(frozen=True)
class Cost:
    """One method of a block.

    Attributes:
        method: label.
        told: what it was told beyond the given labels, names of privileges; empty: nothing.
        runs: how many runs recorded their cost.
        medians: quantity -> over those runs; NaN without one.
        ratios: quantity -> median, over runs of equal labels and seed, of its value for the
            reference's; of measurements only where both are of one kind of machine. NaN without.
    """

    method: str
    told: str
    runs: int
    medians: Mapping[str, float]
    ratios: Mapping[str, float]


@dataclass(frozen=True)
class Alone:
    """The first network of a method that trains several, beside all of them; last epoch, percent.

    Attributes:
        condition: noise line.
        method: label.
        expected: declared seeds.
        first: accuracy of the first network alone.
        both: of the method.
        gain: of all over the first, seed by seed.
    """

    condition: str
    method: str
    expected: int
    first: Interval
    both: Interval
    gain: Interval


@dataclass(frozen=True)
class BlockCosts:
    """What a block's runs cost.

    Attributes:
        block: that they are in.
        reference: the method that others are compared with; ``None``: none of its runs has a cost.
        costs: a method each, as declared.
        alone: methods with several networks, condition by condition.
    """

    block: Block
    reference: str | None
    costs: tuple[Cost, ...]
    alone: tuple[Alone, ...]


Found = tuple[BlockCosts, ...]


def costs(results: Results) -> Found:
    """Block by block; empty where no run recorded its cost."""
    found = []
    for block in results.blocks:
        runs = results.frame.runs[results.frame.runs["block"] == block.index]
        held = runs[runs["images_forward"].notna()]
        if not held.empty:
            found.append(_block(results, block, runs, held))
    return tuple(found)


def _block(results: Results, block: Block, runs: pd.DataFrame, held: pd.DataFrame) -> BlockCosts:
    groups = {str(label): rows.set_index(_PLACE) for label, rows in held.groupby("method")}
    reference = _reference(results, [method for method in block.methods if method in groups])
    theirs = None if reference is None else groups[reference]
    parts = tuple(_cost(m, groups[m], theirs) for m in block.methods if m in groups)
    return BlockCosts(block, reference, parts, tuple(_alone(block, runs)))


def _reference(results: Results, methods: list[str]) -> str | None:
    """Cross-entropy, or else the study's baseline."""
    plain = [m for m in methods if results.method_names[m] == "ce"]
    return next(iter([*plain, *(m for m in methods if m in results.baseline)]), None)


def _cost(method: str, mine: pd.DataFrame, theirs: pd.DataFrame | None) -> Cost:
    return Cost(
        method=method,
        told=", ".join(privileges(mine["told"])),
        runs=len(mine),
        medians={name: float(mine[name].median()) for name in QUANTITIES},
        ratios={
            name: np.nan if theirs is None else _ratio(name, mine, theirs) for name in QUANTITIES
        },
    )


def _ratio(name: str, mine: pd.DataFrame, theirs: pd.DataFrame) -> float:
    both = mine.join(theirs.add_suffix("_theirs"), how="inner")
    if name in MEASURED:
        for column in MACHINE:
            both = both[both[column] == both[f"{column}_theirs"]]
    return float((both[name] / both[f"{name}_theirs"]).median())


def _alone(block: Block, runs: pd.DataFrame) -> Iterator[Alone]:
    for cell in block.declared():
        rows = runs[runs["run_id"].isin(cell.run_ids) & runs["first_network"].notna()]
        first, both = (rows[name].to_numpy(np.float64) for name in ("first_network", "last"))
        if len(rows):
            intervals = map(mean_interval, (first, both, both - first))
            yield Alone(cell.condition, cell.method, cell.expected, *intervals)
