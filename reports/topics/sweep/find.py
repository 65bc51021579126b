"""Sweeps: where a study varies two hyper-parameters of one method against each other."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.store import names
from nlbench.benchmark.store.record import CURVES
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.topics.sweep.axes import Axis, axes_of, rest_of

Floats = NDArray[np.float64]
DRAINED = (names.MEAN_CLEAN, names.MEAN_FLIPPED)
KEPT = (*DRAINED, "val_noisy")


@dataclass(frozen=True, eq=False)
class Setting:
    """One point of a grid, or a method beside it.

    Attributes:
        cell: its runs.
        params: hyper-parameters.
        at: (row, column) level, ``None`` beside the grid.
        last: name of KEPT -> (seeds,) value at the last declared epoch, NaN without one.
    """

    cell: Cell
    params: Mapping[str, Any]
    at: tuple[float, float] | None
    last: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Sweep:
    """A grid of settings of one method in one condition.

    Attributes:
        number: from 1, over the study.
        block: where it is.
        condition: its noise.
        title: the method as tables call it.
        rows: axis of the rows.
        columns: axis of the columns.
        fixed: what else varies in the study and has one value here, in words.
        settings: in the declared order; the first declared is the default.
        beside: the other methods of the condition (of another grid its default).
    """

    number: int
    block: Block
    condition: Condition
    title: str
    rows: Axis
    columns: Axis
    fixed: str
    settings: tuple[Setting, ...]
    beside: tuple[Setting, ...] = field(default=())

    @property
    def default(self) -> Setting:
        """The setting that was declared first."""
        return self.settings[0]

    @property
    def row_levels(self) -> tuple[float, ...]:
        """Levels of the rows, ascending."""
        return tuple(sorted({s.at[0] for s in self.settings if s.at}))

    @property
    def column_levels(self) -> tuple[float, ...]:
        """Levels of the columns, ascending."""
        return tuple(sorted({s.at[1] for s in self.settings if s.at}))

    @property
    def has_extra_output(self) -> bool:
        """Whether the method has an extra output with a recorded probability."""
        return any(np.isfinite(s.last[name]).any() for s in self.settings for name in DRAINED)

    @property
    def validated(self) -> bool:
        """Whether noisily labelled samples were held out."""
        return any(np.isfinite(s.last["val_noisy"]).any() for s in self.settings)

    def name(self, setting: Setting) -> str:
        """A setting in words: ``alpha = 1, beta / (1/alpha) = 0``; a method beside, its label."""
        if setting.at is None:
            return setting.cell.method
        row, column = setting.at
        return f"{self.rows.label} = {row:g}, {self.columns.label} = {column:g}"


def sweeps(results: Results) -> tuple[Sweep, ...]:
    """Every grid of the study: at least two rows and columns with two settings in each.

    The first two varying hyper-parameters are rows and columns; each combination of the others is
    a grid of its own.
    """
    runs = results.frame.runs
    several = runs["method"] != runs["method_name"].map(_titles(results))
    if not several.any():
        return ()
    places = runs[runs["block"].isin(set(runs["block"][several]))]
    places = places.drop_duplicates(["block", "condition", "method"])
    rows: dict[tuple[int, str], list[tuple[str, str, dict[str, Any]]]] = defaultdict(list)
    columns = (places[c] for c in ("block", "condition", "method", "method_name", "params"))
    for index, line, label, name, params in zip(*columns, strict=True):
        rows[int(index), str(line)].append((str(label), str(name), json.loads(params)))
    found: list[Sweep] = []
    epochs = {spec.run_id: spec.recipe.epochs for spec in results.study.specs}
    for block in results.blocks:
        for condition in block.conditions:
            methods = rows.get((block.index, condition.line), [])
            grids = _grids(results, block, condition, methods, epochs)
            found += _numbered(grids, methods, len(found), results, epochs)
    return tuple(found)


def _titles(results: Results) -> dict[str, str]:
    names = {str(name) for name in results.frame.runs["method_name"].unique()}
    return {name: results.study.titles.get(name, name) for name in names}


def _grids(
    results: Results,
    block: Block,
    condition: Condition,
    methods: Sequence[tuple[str, str, dict[str, Any]]],
    epochs: Mapping[str, int],
) -> Iterator[Sweep]:
    """The grids of one condition, not numbered and with nothing beside them yet."""
    by_name: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for label, name, params in methods:
        by_name[name].append((label, params))
    for name, members in by_name.items():
        settings = [params for _, params in members]
        axes = axes_of(name, settings)
        if len(axes) < 2:
            continue
        rest = rest_of(name, settings)
        slices: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        for label, params in members:
            words = [f"{axis.label} = {axis.level(params):g}" for axis in axes[2:]]
            words += [f"{key} = {params.get(key)}" for key in rest]
            slices[", ".join(words)].append((label, params))
        for fixed, inside in slices.items():
            at = [(axes[0].level(params), axes[1].level(params)) for _, params in inside]
            if not _crossed(at):
                continue
            found = tuple(
                setting_of(results, block.cells[label, condition.line], params, place, epochs)
                for (label, params), place in zip(inside, at, strict=True)
            )
            title = results.study.titles.get(name, name)
            yield Sweep(0, block, condition, title, axes[0], axes[1], fixed, found)


def _crossed(at: Sequence[tuple[float, float]]) -> bool:
    """Whether these places are a grid: no two the same, none alone in its row or column."""
    rows, columns = Counter(row for row, _ in at), Counter(column for _, column in at)
    if len(set(at)) < len(at) or min(len(rows), len(columns)) < 2:
        return False
    return min(*rows.values(), *columns.values()) >= 2


def _numbered(
    grids: Iterator[Sweep],
    methods: Sequence[tuple[str, str, dict[str, Any]]],
    before: int,
    results: Results,
    epochs: Mapping[str, int],
) -> Iterator[Sweep]:
    """The grids of one condition with their numbers and the methods beside them."""
    whole = list(grids)
    inner = {s.cell.method for sweep in whole for s in sweep.settings[1:]}
    for number, sweep in enumerate(whole, before + 1):
        own = {s.cell.method for s in sweep.settings}
        beside = tuple(
            setting_of(results, cell, params, None, epochs)
            for label, _, params in methods
            if label not in own | inner
            and (cell := sweep.block.cells.get((label, sweep.condition.line))) is not None
        )
        yield Sweep(
            number, sweep.block, sweep.condition, sweep.title, sweep.rows, sweep.columns,
            sweep.fixed, sweep.settings, beside,
        )  # fmt: skip


def setting_of(
    results: Results,
    cell: Cell,
    params: Mapping[str, Any],
    at: tuple[float, float] | None,
    epochs: Mapping[str, int],
) -> Setting:
    """A cell with its values at the last declared epoch; ``epochs`` by run id."""
    last = {name: np.full(len(cell.seeds), np.nan) for name in KEPT}
    for seed, run_id in enumerate(cell.run_ids):
        curves = results.frame.curves.get(run_id)
        if curves is None or curves.shape[1] < epochs[run_id]:
            continue
        for name, values in last.items():
            values[seed] = curves[CURVES.index(name), epochs[run_id] - 1]
    return Setting(cell, params, at, last)
