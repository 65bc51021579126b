"""What a block's records hold beside accuracies: numbers and curves by path, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.packed_json import Nodes, PackedJson, Shapes, is_number, length, unpack

Floats = NDArray[np.float64]
_NOTHING = (None, (0, 0))


class Evaluations:
    """One named part of ``RunRecord.evaluations`` of the runs of a block that have it.

    A path is the keys under the part: ``parts.column(cell, "criteria", "loss", "auroc")``.
    """

    def __init__(self, block: Block, packed: Mapping[str, PackedJson], part: str) -> None:
        """Look which runs have it.

        Args:
            block: whose runs.
            packed: run id -> packed ``RunRecord.evaluations``.
            part: first key.
        """
        self._part = part
        self._held: dict[str, tuple[PackedJson, Nodes]] = {}
        shapes = Shapes()
        for cell in block.declared():
            for run_id in cell.run_ids:
                one = packed.get(run_id)
                if one is not None and (part,) in (nodes := shapes.nodes(one)):
                    self._held[run_id] = one, nodes

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[str]:
        """Ids of the runs that have it, condition by condition."""
        return iter(self._held)

    def runs(self, cell: Cell) -> list[str]:
        """Ids of the cell's runs that have it."""
        return [run_id for run_id in cell.run_ids if run_id in self._held]

    def column(self, cell: Cell, *path: str) -> Floats:
        """(n,) the number there of every run of the cell, NaN without one."""
        where, numbers = (self._part, *path), np.full(len(cell.run_ids), np.nan, dtype=np.float64)
        last: Nodes | None = None
        place: int | None = None
        for at, run_id in enumerate(cell.run_ids):
            if (held := self._held.get(run_id)) is not None:
                packed, nodes = held
                if nodes is not last:  # most runs of a cell have one shape
                    shape, (first, _) = nodes.get(where, _NOTHING)
                    last, place = nodes, first if is_number(shape) else None
                if place is not None:
                    numbers[at] = packed.numbers[place]
        return numbers

    def curves(self, cell: Cell, *path: str) -> Floats:
        """(k, points) the list of numbers there of the k runs of the cell that have one."""
        where, found = (self._part, *path), []
        for run_id in self.runs(cell):
            packed, nodes = self._held[run_id]
            shape, place = nodes.get(where, _NOTHING)
            if (size := length(shape)) is not None:
                found.append(packed.span(place[1], size))
        # Without runs, none of the points either.
        return np.array(found, dtype=np.float64).reshape(len(found), -1 if found else 0)

    def names(self, cell: Cell, *path: str) -> set[str]:
        """Keys there in any run of the cell."""
        where = (self._part, *path)
        shapes = {id(nodes): nodes for _, nodes in map(self._held.__getitem__, self.runs(cell))}
        return {
            name
            for nodes in shapes.values()
            if isinstance(shape := nodes.get(where, _NOTHING)[0], dict)
            for name in shape
        }

    def value(self, run_id: str, *path: str) -> Any:
        """Whatever is there in one run, ``None`` where there is nothing."""
        packed, nodes = self._held[run_id]
        where = (self._part, *path)
        return unpack(packed, nodes, where) if where in nodes else None
