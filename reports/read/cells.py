"""Cells: method x condition, with the seeds' values and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nlbench.benchmark.spec.noise_line import drawn_words
from nlbench.reports.read.fields import PAIRING
from nlbench.reports.read.frame import Frame
from nlbench.reports.read.names import BlockKey
from nlbench.reports.stats import Interval, mean_interval
from nlbench.reports.text import listing

Floats = NDArray[np.float64]


def collapse_threshold(num_classes: int) -> float:
    """Accuracy in percent at or below which a run counts as collapsed.

    1.5 times chance, but never more than 5 points above it: 15 % for 10 classes, 1.5 % for 100,
    55 % (not 75 %) for 2.
    """
    chance = 100 / num_classes
    return chance + min(chance / 2, 5.0)


@dataclass(frozen=True)
class Cell:
    """One method in one condition.

    Attributes:
        method: label.
        condition: noise line.
        seeds: declared seeds, ascending.
        values: (len(seeds),) accuracy in percent under the report's rule, NaN without one.
        status: per seed ``ok``, ``diverged``, ``failed`` or ``missing``.
        run_ids: per seed.
        pairing: per seed the fingerprints in the order of PAIRING, ``None`` where not recorded.
        num_classes: K, ``None`` if it is in no record of the data set.
        recipe: what it was trained with, of all that profile ``matched`` makes equal.
    """

    method: str
    condition: str
    seeds: tuple[int, ...]
    values: Floats
    status: tuple[str, ...]
    run_ids: tuple[str, ...]
    pairing: tuple[tuple[str | None, ...], ...]
    num_classes: int | None
    recipe: str = ""

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which seeds have a value."""
        return ~np.isnan(self.values)

    @cached_property
    def collapsed(self) -> NDArray[np.bool_]:
        """Which seeds are at chance level (diverged ones included)."""
        if self.num_classes is None:
            return np.zeros(len(self.seeds), dtype=bool)
        limit = collapse_threshold(self.num_classes)
        return self.known & (np.nan_to_num(self.values, nan=np.inf) <= limit)

    @cached_property
    def summary(self) -> Interval:
        """Mean, SD and interval over the seeds that have a value."""
        return mean_interval(self.values[self.known])

    @property
    def expected(self) -> int:
        """Declared number of seeds."""
        return len(self.seeds)

    @property
    def complete(self) -> bool:
        """Whether every declared seed has a value."""
        return self.summary.n == self.expected

    @property
    def mixed(self) -> bool:
        """Whether some, but not all, runs collapsed: the mean then describes neither kind."""
        return 0 < int(self.collapsed.sum()) < self.summary.n

    def count(self, status: str) -> int:
        """Number of seeds with this status."""
        return self.status.count(status)


@dataclass(frozen=True)
class Condition:
    """A noise line with its names and rates.

    Attributes:
        line: canonical noise line.
        type: the line without its rate; conditions of one type form a family.
        nominal: nominal rate in [0, 1], ``None`` if unknown.
        realised: mean realised rate over the runs, ``None`` without runs.
        drawn: the line with all options of its kind, as the labels were drawn.
    """

    line: str
    type: str
    nominal: float | None
    realised: float | None
    drawn: str = ""


def few_rates(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Of every noise type the lowest, middle and highest rate, in order: what pictures show."""
    families: dict[str, list[Condition]] = {}
    for condition in conditions:
        families.setdefault(condition.type, []).append(condition)
    chosen: list[Condition] = []
    for family in families.values():
        last = len(family) - 1
        chosen += [family[at] for at in sorted({0, (last + 1) // 2, last})]
    return tuple(c for c in conditions if c in chosen)


@dataclass(frozen=True)
class Block:
    """Runs that may share a table: one data set, network and profile.

    Attributes:
        index: position in the study.
        key: what the runs have in common.
        data_label: the data set as tables name it.
        methods: labels in the declared order.
        conditions: clean first, then by noise type in the declared order, rates ascending.
        cells: (method, noise line) -> cell, for the declared combinations.
    """

    index: int
    key: BlockKey
    data_label: str
    methods: tuple[str, ...]
    conditions: tuple[Condition, ...]
    cells: dict[tuple[str, str], Cell]

    def declared(self) -> Iterator[Cell]:
        """All cells, condition by condition."""
        for condition in self.conditions:
            for method in self.methods:
                cell = self.cells.get((method, condition.line))
                if cell is not None:
                    yield cell

    def family(self, noise_type: str) -> tuple[Condition, ...]:
        """The conditions of one noise type."""
        return tuple(c for c in self.conditions if c.type == noise_type)

    @property
    def noise_types(self) -> tuple[str, ...]:
        """Noise types in table order."""
        return tuple(dict.fromkeys(c.type for c in self.conditions))

    @property
    def title(self) -> str:
        """Data set, network and profile for a caption."""
        # A table of accuracies has no network.
        parts = (self.data_label, self.key.model, f"profile {self.key.regime}")
        return ", ".join(filter(None, parts))

    @property
    def recipe(self) -> str:
        """What all methods were trained with, or each method by name where they differ."""
        return self.recipe_of(self.methods)

    def recipe_of(self, methods: Collection[str]) -> str:
        """What these methods were trained with, each by name where they differ."""
        recipes: dict[str, list[str]] = {}
        cells = (c for c in self.cells.values() if c.method in methods)
        for method, cell in dict.fromkeys((c.method, c.recipe) for c in cells):
            recipes.setdefault(cell, []).append(method)
        if len(recipes) == 1:
            return next(iter(recipes))
        return "; ".join(f"{listing(those)}: {text}" for text, those in recipes.items())

    @property
    def noise_drawn(self) -> str:
        """How the labels of its conditions were drawn."""
        return drawn_words(condition.drawn for condition in self.conditions)


def make_blocks(frame: Frame, rule: str) -> tuple[Block, ...]:
    """Group the frame's runs into cells under one accuracy rule."""
    return tuple(
        _block(int(str(index)), frame.blocks[int(str(index))], rows, rule)
        for index, rows in frame.runs.groupby("block", sort=True)
    )


def _block(index: int, key: BlockKey, rows: pd.DataFrame, rule: str) -> Block:
    # Plain lists: a frame operation per cell would cost more than everything else.
    prints = [_plain(rows[f"pair_{key}"]) for key in PAIRING]
    columns = _Columns(
        seeds=rows["seed"].tolist(),
        values=rows[rule].to_numpy(dtype=np.float64),
        status=rows["status"].tolist(),
        run_ids=rows["run_id"].tolist(),
        pairing=list(zip(*prints, strict=True)),
        num_classes=_plain(rows["num_classes"]),
        recipes=rows["recipe"].tolist(),
    )
    places: dict[tuple[str, str], list[int]] = {}
    methods, conditions = rows["method"].tolist(), rows["condition"].tolist()
    for at, name in enumerate(zip(methods, conditions, strict=True)):
        places.setdefault(name, []).append(at)
    cells = {name: _cell(*name, columns, found) for name, found in places.items()}
    return Block(
        index=index,
        key=key,
        data_label=" / ".join(sorted(set(rows["data_label"]))),
        methods=tuple(dict.fromkeys(methods)),
        conditions=_conditions(rows),
        cells=cells,
    )


@dataclass(frozen=True)
class _Columns:
    """A block's runs, column by column."""

    seeds: list[int]
    values: Floats
    status: list[str]
    run_ids: list[str]
    pairing: list[tuple[str | None, ...]]
    num_classes: list[int | None]
    recipes: list[str]


def _cell(method: str, condition: str, columns: _Columns, found: list[int]) -> Cell:
    places = sorted(found, key=lambda at: columns.seeds[at])
    return Cell(
        method=method,
        condition=condition,
        seeds=tuple(columns.seeds[at] for at in places),
        values=columns.values[places],
        status=tuple(columns.status[at] for at in places),
        run_ids=tuple(columns.run_ids[at] for at in places),
        pairing=tuple(columns.pairing[at] for at in places),
        num_classes=columns.num_classes[places[0]],
        recipe=columns.recipes[places[0]],
    )


def _plain(column: pd.Series) -> list[Any]:
    """The column's values with ``None`` for none."""
    pairs = zip(column.tolist(), column.isna().tolist(), strict=True)
    return [None if missing else v for v, missing in pairs]


def _conditions(rows: pd.DataFrame) -> tuple[Condition, ...]:
    found = []
    for line, runs in rows.groupby("condition", sort=False):
        # Once per label set, however many methods were trained on it.
        drawn = runs.drop_duplicates(["seed", "noise_fingerprint"])
        nominal, realised = runs["nominal_rate"].max(), drawn["realised_rate"].mean()
        found.append(
            Condition(
                line=str(line),
                type=str(runs["noise_type"].iloc[0]),
                nominal=None if pd.isna(nominal) else float(nominal),
                realised=None if pd.isna(realised) else round(float(realised), 6),
                drawn=str(runs["noise_drawn"].iloc[0]),
            )
        )
    types = list(dict.fromkeys(c.type for c in found))
    return tuple(
        sorted(found, key=lambda c: (c.type != "clean", types.index(c.type), c.nominal or 0.0))
    )
