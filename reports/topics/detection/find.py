"""Detections: how well each criterion finds the flipped labels of a block's training sets."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.store import names
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.evaluations import Evaluations
from nlbench.reports.read.measured import measured
from nlbench.reports.read.packed_json import PackedJson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

# What tables call a criterion, in table order.
CRITERIA = {names.PROBABILITY: "extra output", "loss": "small loss", "margin": "margin"}
METRICS = {"auroc": "AUROC", "ap": "average precision", "f1": "F1 at the known rate"}


@dataclass(frozen=True)
class Pictures:
    """The training images of one run with the largest extra output.

    Attributes:
        seed: of the run.
        mass: (n,) probability of the extra output, highest first.
        given: (n,) labels trained on.
        true: (n,) labels as they were.
        classes: names.
        images: (n, C, H, W), ``None`` where the record holds no pixels.
    """

    seed: int
    mass: Floats
    given: Ints
    true: Ints
    classes: tuple[str, ...]
    images: Bytes | None


@dataclass(frozen=True)
class Detection:
    """A block whose records hold how flipped labels were found.

    Attributes:
        block: its runs.
        conditions: those with flipped labels and records.
        criteria: method -> its criteria in table order.
        cells: (method, noise line, criterion, metric) -> values in percent.
        histograms: (method, noise line) -> (2, bins) samples by that probability in equal bins of
            [0, 1], clean and flipped, added up over seeds.
        flipped: run id -> share of flipped labels among the training samples.
        pictures: (method, noise line) -> those images, where a record holds any.
        parts: the records' own.
    """

    block: Block
    conditions: tuple[Condition, ...]
    criteria: Mapping[str, tuple[str, ...]]
    cells: Mapping[tuple[str, str, str, str], Cell]
    histograms: Mapping[tuple[str, str], Ints]
    flipped: Mapping[str, float]
    pictures: Mapping[tuple[str, str], Pictures]
    parts: Evaluations = field(repr=False)

    @property
    def methods(self) -> tuple[str, ...]:
        """Labels in the declared order."""
        return tuple(self.criteria)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Methods with an extra output."""
        return tuple(m for m, criteria in self.criteria.items() if names.PROBABILITY in criteria)

    def cell(self, method: str, line: str, criterion: str, metric: str = "auroc") -> Cell | None:
        """A cell, ``None`` where there is none."""
        return self.cells.get((method, line, criterion, metric))

    def rocs(self, method: str, line: str, criterion: str) -> Floats:
        """(n, 101) share of flipped samples found where i/100 of the clean ones are flagged."""
        cell = self.block.cells[method, line]
        return self.parts.curves(cell, "criteria", criterion, "roc")


def name(method: str, criterion: str) -> str:
    """What comparisons call a method's criterion: ``CE (small loss)``."""
    return f"{method} ({CRITERIA.get(criterion, criterion)})"


def detections(blocks: Sequence[Block], packed: Mapping[str, PackedJson]) -> tuple[Detection, ...]:
    """The blocks whose records hold detection.

    Args:
        blocks: of the study.
        packed: run id -> packed ``RunRecord.evaluations``.
    """
    found = ((block, Evaluations(block, packed, "detection")) for block in blocks)
    return tuple(_detection(block, parts) for block, parts in found if parts)


def _detection(block: Block, parts: Evaluations) -> Detection:
    cells: dict[tuple[str, str, str, str], Cell] = {}
    histograms: dict[tuple[str, str], Ints] = {}
    pictures: dict[tuple[str, str], Pictures] = {}
    criteria: dict[str, tuple[str, ...]] = {}
    for method in block.methods:
        own = [cell for cell in block.declared() if cell.method == method]
        names = {criterion for cell in own for criterion in parts.names(cell, "criteria")}
        if not names:
            continue
        criteria[method] = tuple(
            dict.fromkeys([*(c for c in CRITERIA if c in names), *sorted(names)])
        )
        for cell in own:
            if not parts.runs(cell) and cell.condition == "clean":
                continue
            place = method, cell.condition
            for criterion in criteria[method]:
                for metric in METRICS:
                    values = parts.column(cell, "criteria", criterion, metric)
                    label = name(method, criterion)
                    cells[*place, criterion, metric] = measured(cell, label, values)
            counts = [parts.curves(cell, "histogram", kind) for kind in ("clean", "flipped")]
            if len(counts[0]):
                histograms[place] = np.stack(counts, axis=1).astype(np.int64).sum(axis=0)
            shown = _pictures(cell, parts)
            if shown is not None:
                pictures[place] = shown
    lines = {line for _, line, _, _ in cells}
    return Detection(
        block=block,
        conditions=tuple(c for c in block.conditions if c.line in lines),
        criteria=criteria,
        cells=cells,
        histograms=histograms,
        flipped={i: parts.value(i, "flipped") / parts.value(i, "samples") for i in parts},
        pictures=pictures,
        parts=parts,
    )


def _pictures(cell: Cell, parts: Evaluations) -> Pictures | None:
    """Of the first seed whose record holds them."""
    seeds = dict(zip(cell.run_ids, cell.seeds, strict=True))
    for run_id in parts.runs(cell):
        drained = parts.value(run_id, names.TOP_IMAGES)
        if drained is None:
            continue
        images = None
        if drained["pixels"] is not None:
            raw = zlib.decompress(base64.b64decode(drained["pixels"]))
            images = np.frombuffer(raw, dtype=np.uint8).reshape(drained["shape"])
        return Pictures(
            seed=seeds[run_id],
            mass=drained["mass"],
            given=drained["given"],
            true=drained["true"],
            classes=tuple(drained["classes"]),
            images=images,
        )
    return None
