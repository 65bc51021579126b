"""Studies of the number of classes: one noise line, one data set, more and more of its classes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell, Condition

Floats = NDArray[np.float64]
LEAST = 3  # numbers of classes: with two there is no trend


@dataclass(frozen=True, eq=False)
class Point:
    """One number of classes.

    Attributes:
        classes: K.
        block: its runs.
        condition: the noise line there.
    """

    classes: int
    block: Block
    condition: Condition

    @property
    def chance(self) -> float:
        """Accuracy of guessing on a balanced test set, percent."""
        return 100 / self.classes

    def cell(self, method: str) -> Cell | None:
        """A method's runs under the noise."""
        return self.block.cells.get((method, self.condition.line))


@dataclass(frozen=True, eq=False)
class ClassStudy:
    """Accuracy against the number of classes.

    Attributes:
        number: from 1, over the study.
        dataset: name of the data set that the classes are taken from.
        line: noise line.
        points: by ascending number of classes.
        unknown: titles of data sets whose number of classes is in no record yet.
        methods: labels, declared order, of those that have a run at every point.
        baseline: the one that the others are measured against.
        ceiling: whether the baseline was also trained on clean labels at every point.
    """

    number: int
    dataset: str
    line: str
    points: tuple[Point, ...]
    unknown: tuple[str, ...]
    methods: tuple[str, ...]
    baseline: str
    ceiling: bool

    def share(self, point: Point, method: str) -> Floats:
        """Per seed the part of the way from chance (0) to the ceiling (1), NaN without a value.

        The ceiling is the baseline's accuracy on clean labels in the same seed where the study has
        that, else 100 %.
        """
        cell = point.cell(method)
        if cell is None:
            return np.empty(0)
        top = np.full(len(cell.seeds), 100.0)
        clean = point.block.cells.get((self.baseline, "clean"))
        if self.ceiling and clean is not None:
            found = dict(zip(clean.seeds, clean.values, strict=True))
            top = np.array([found.get(seed, np.nan) for seed in cell.seeds])
        return (cell.values - point.chance) / (top - point.chance)


def class_studies(results: Results) -> tuple[ClassStudy, ...]:
    """Every noise line over at least LEAST data sets that differ only in their unknown classes.

    The number of training images per class may differ too: it has to, where the amount of data is
    to stay the same.
    """
    families: dict[tuple[str, float, str, str], list[Block]] = defaultdict(list)
    for block in results.blocks:
        name, _, unknown = block.key.dataset.partition(", unknown ")
        if not unknown or unknown.startswith("classes:"):
            key = block.key
            families[name, key.holdout, key.model, key.regime].append(block)
    studies: list[ClassStudy] = []
    for (name, *_), blocks in families.items():
        if len({block.key.dataset for block in blocks}) < max(LEAST, len(blocks)):
            continue  # few, or one number of classes in several sizes
        for line in dict.fromkeys(c.line for block in blocks for c in block.conditions):
            study = _study(results, len(studies) + 1, name, line, blocks)
            studies += [study] if study is not None else []
    return tuple(studies)


def _study(
    results: Results, number: int, name: str, line: str, blocks: list[Block]
) -> ClassStudy | None:
    """The points of one noise line; ``None`` where it is on too few data sets."""
    found = [(b, c) for b in blocks for c in b.conditions if c.line == line]
    methods = tuple(m for m in found[0][0].methods if all((m, line) in b.cells for b, _ in found))
    baseline = next((m for m in methods if m in results.baseline), None)
    if len(found) < LEAST or line == "clean" or baseline is None:
        return None
    known = [(k, b, c) for b, c in found if (k := _classes(b)) is not None]
    points = tuple(Point(k, b, c) for k, b, c in sorted(known, key=lambda entry: entry[0]))
    return ClassStudy(
        number=number,
        dataset=name,
        line=line,
        points=points,
        unknown=tuple(b.title for b, _ in found if _classes(b) is None),
        methods=methods,
        baseline=baseline,
        ceiling=all((baseline, "clean") in b.cells for b, _ in found),
    )


def _classes(block: Block) -> int | None:
    return next((int(c.num_classes) for c in block.declared() if c.num_classes is not None), None)
