"""Protocols: how the runs of a block score images that they should reject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nlbench.benchmark.store import names
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.evaluations import Evaluations
from nlbench.reports.read.measured import measured
from nlbench.reports.read.packed_json import PackedJson
from nlbench.reports.render.caption import redrawn
from nlbench.reports.text import listing, plural

Floats = NDArray[np.float64]

# What tables call a score; other names are shown as they are.
SCORES = {
    names.PROBABILITY: "p_d",
    "msp": "MSP",
    "max_logit": "max logit",
    "energy": "energy",
    "entropy": "entropy",
}
# The declared score of a method, fixed before any result: the first of these that it has. A
# method with an extra output is meant to reject by it, any other by its softmax.
DECLARED = (names.PROBABILITY, "msp")
RULE = "own rule"
# Per score; ``accuracy`` is the network's.
METRICS = {
    "auroc": "AUROC",
    "aupr_unknown": "AUPR unknown",
    "aupr_known": "AUPR known",
    "fpr95": "FPR at 95 % TPR",
    "oscr": "OSCR",
    "accuracy": "closed-set accuracy",
    "known_rejected": "known rejected",
    "unknown_rejected": "unknown rejected",
}
REJECTED = ("known_rejected", "unknown_rejected")


@dataclass(frozen=True)
class Protocol:
    """One declaration of unknowns: a block whose records hold open-set scores.

    Attributes:
        block: its runs.
        unknowns: what is unknown, in words.
        counts: known, unknown and validation images, in words.
        unit: what a replicate is, singular.
        accepted: share of validation images that the threshold accepts.
        scores: method -> its scores, the declared one first, then by name; RULE last where the
            method has a rejection rule of its own.
        conditions: those with records.
        cells: (method, noise line, score, metric) -> values in percent.
        parts: the records' own.
    """

    block: Block
    unknowns: str
    counts: str
    unit: str
    accepted: float
    scores: Mapping[str, tuple[str, ...]]
    conditions: tuple[Condition, ...]
    cells: Mapping[tuple[str, str, str, str], Cell]
    parts: Evaluations = field(repr=False)

    @property
    def methods(self) -> tuple[str, ...]:
        """Labels in the declared order."""
        return tuple(self.scores)

    def declared(self, method: str) -> str:
        """The declared score of a method."""
        return self.scores[method][0]

    def has_extra_output(self, method: str) -> bool:
        """Whether the method has an extra output."""
        return names.PROBABILITY in self.scores[method]

    def cell(self, method: str, line: str, score: str = "", metric: str = "auroc") -> Cell | None:
        """A cell, of the declared score by default; ``None`` where there is none."""
        return self.cells.get((method, line, score or self.declared(method), metric))

    def curves(self, method: str, line: str) -> Floats:
        """Curves of the declared score, (n, 2, 101).

        Shares of known images accepted, and accepted and rightly classified, where i/100 of the
        unknown ones are accepted.
        """
        cell, score = self.block.cells[method, line], self.declared(method)
        pair = [self.parts.curves(cell, "scores", score, kind) for kind in ("roc", "ccr")]
        return np.stack(pair, axis=1)

    def label(self, method: str, score: str = "") -> str:
        """``Drainage (p_d)``."""
        return name(method, score or self.declared(method))


def name(method: str, score: str) -> str:
    """What comparisons call a method that is scored in some way."""
    return f"{method} ({SCORES.get(score, score)})"


def protocols(blocks: Sequence[Block], packed: Mapping[str, PackedJson]) -> tuple[Protocol, ...]:
    """The blocks whose records hold open-set scores.

    Args:
        blocks: of the study.
        packed: run id -> packed ``RunRecord.evaluations``.
    """
    found = ((block, Evaluations(block, packed, "open_set")) for block in blocks)
    return tuple(_protocol(block, parts) for block, parts in found if parts)


def _protocol(block: Block, parts: Evaluations) -> Protocol:
    cells: dict[tuple[str, str, str, str], Cell] = {}
    scores: dict[str, tuple[str, ...]] = {}
    for method in block.methods:
        own = [cell for cell in block.declared() if cell.method == method]
        if not any(map(parts.runs, own)):
            continue
        scores[method] = _scores(own, parts)
        for cell in own:
            for score in scores[method]:
                place = method, cell.condition, score
                for metric in REJECTED if score == RULE else METRICS:
                    values = parts.column(cell, *_where(score, metric))
                    cells[*place, metric] = measured(cell, name(method, score), values)
    lines = {line for _, line, _, _ in cells}
    return Protocol(
        block=block,
        unknowns=_unknowns(block, parts),
        counts=_counts(parts),
        unit=_unit(parts),
        accepted=float(parts.value(next(iter(parts)), "accepted")),
        scores=scores,
        conditions=tuple(c for c in block.conditions if c.line in lines),
        cells=cells,
        parts=parts,
    )


def _scores(cells: Sequence[Cell], parts: Evaluations) -> tuple[str, ...]:
    there = {score for cell in cells for score in parts.names(cell, "scores")}
    declared = next((score for score in DECLARED if score in there), min(there))
    known = [score for score in SCORES if score in there]
    order = dict.fromkeys([declared, *known, *sorted(there)])
    return (*order, RULE) if any(parts.names(cell, "rule") for cell in cells) else tuple(order)


def _where(score: str, metric: str) -> tuple[str, ...]:
    """Where a record keeps a metric."""
    if metric == "accuracy":
        return (metric,)
    return ("rule", metric) if score == RULE else ("scores", score, metric)


def _unknowns(block: Block, parts: Evaluations) -> str:
    kind, _, rest = block.key.dataset.partition(", unknown ")[2].partition(":")
    known = len(parts.value(next(iter(parts)), "classes"))
    if kind == "classes":
        return f"{known} of {known + int(rest)} classes known, {rest} unknown"
    return f"all {known} classes known, images of {rest} unknown"


def _counts(parts: Evaluations) -> str:
    words = []
    for what in ("known", "unknown", "validation"):
        seen = sorted({int(parts.value(run_id, what)) for run_id in parts})
        span = f"{seen[0]:,}" + (f" to {seen[-1]:,}" if len(seen) > 1 else "")
        words.append(f"{span} {what}")
    return f"{words[0]} and {words[1]} test images, {words[2]} images of known classes"


def _unit(parts: Evaluations) -> str:
    """A seed draws the class split too; with more seeds than splits a replicate is a seed."""
    splits = {tuple(parts.value(run_id, "classes")) for run_id in parts}
    return "class split" if len(splits) > 1 else "seed"


def replicates(protocol: Protocol) -> str:
    """What a replicate is, as a sentence."""
    again = listing(redrawn([protocol.block]))
    if protocol.unit == "seed":
        return (
            f"A seed re-draws {again}, the same for every method; the known classes are the same"
            " throughout."
        )
    seeds = {seed for cell in protocol.cells.values() for seed in cell.seeds}
    return (
        f"A replicate is a class split: {plural(len(seeds), 'seed')} draw which classes are known,"
        f" together with {again}, the same for every method. The splits are the"
        " sample; conclusions are about other splits of this data set."
    )
