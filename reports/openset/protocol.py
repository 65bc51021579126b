"""Protocols: what the runs of a block say about images that they should reject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.cells import Block, Cell, Condition
from reports.measures.cells import found_in, measured
from reports.text import plural

Floats = NDArray[np.float64]

# What tables call a score; other names stand for themselves.
SCORES = {
    "drainage": "p_d",
    "msp": "MSP",
    "max_logit": "max logit",
    "energy": "energy",
    "entropy": "entropy",
}
# The score that speaks for a method, declared before looking: the first of these that it has. A
# drainage method is meant to reject by the mass in its node, any other by its softmax.
DECLARED = ("drainage", "msp")
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
        curves: (method, noise line, score) -> (n, 2, 101) shares of known images accepted, and
            accepted and rightly classified, where i/100 of the unknowns is accepted.
    """

    block: Block
    unknowns: str
    counts: str
    unit: str
    accepted: float
    scores: Mapping[str, tuple[str, ...]]
    conditions: tuple[Condition, ...]
    cells: Mapping[tuple[str, str, str, str], Cell]
    curves: Mapping[tuple[str, str, str], Floats]

    @property
    def methods(self) -> tuple[str, ...]:
        """Labels in the declared order."""
        return tuple(self.scores)

    def declared(self, method: str) -> str:
        """The score that speaks for a method."""
        return self.scores[method][0]

    def drains(self, method: str) -> bool:
        """Whether the method has a drainage node."""
        return "drainage" in self.scores[method]

    def cell(self, method: str, line: str, score: str = "", metric: str = "auroc") -> Cell | None:
        """A cell, of the declared score by default; ``None`` where there is none."""
        return self.cells.get((method, line, score or self.declared(method), metric))

    def label(self, method: str, score: str = "") -> str:
        """``Drainage (p_d)``."""
        return name(method, score or self.declared(method))


def name(method: str, score: str) -> str:
    """What comparisons call a method that is scored in some way."""
    return f"{method} ({SCORES.get(score, score)})"


def protocols(blocks: Sequence[Block], extra: Mapping[str, bytes]) -> tuple[Protocol, ...]:
    """The blocks whose records hold open-set scores.

    Args:
        blocks: of the study.
        extra: run id -> packed part of the record.
    """
    found = ((block, found_in(block, extra, "open_set")) for block in blocks)
    return tuple(_protocol(block, runs) for block, runs in found if runs)


def _protocol(block: Block, runs: Mapping[str, dict[str, Any]]) -> Protocol:
    cells: dict[tuple[str, str, str, str], Cell] = {}
    curves: dict[tuple[str, str, str], Floats] = {}
    scores: dict[str, tuple[str, ...]] = {}
    for method in block.methods:
        own = [cell for cell in block.declared() if cell.method == method]
        there = [runs[i] for cell in own for i in cell.run_ids if i in runs]
        if not there:
            continue
        scores[method] = _scores(there)
        for cell in own:
            for score in scores[method]:
                place = method, cell.condition, score
                for metric in REJECTED if score == RULE else METRICS:
                    cells[*place, metric] = _cell(cell, runs, score, metric)
                if score != RULE:
                    curves[place] = _curves(cell, runs, score)
    lines = {line for _, line, _, _ in cells}
    first = next(iter(runs.values()))
    return Protocol(
        block=block,
        unknowns=_unknowns(block, first),
        counts=_counts(runs.values()),
        unit=_unit(runs.values()),
        accepted=float(first["accepted"]),
        scores=scores,
        conditions=tuple(c for c in block.conditions if c.line in lines),
        cells=cells,
        curves=curves,
    )


def _scores(found: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    names = {score for run in found for score in run["scores"]}
    declared = next((score for score in DECLARED if score in names), min(names))
    known = [score for score in SCORES if score in names]
    order = dict.fromkeys([declared, *known, *sorted(names)])
    return (*order, RULE) if any(run["rule"] for run in found) else tuple(order)


def _cell(cell: Cell, runs: Mapping[str, dict[str, Any]], score: str, metric: str) -> Cell:
    def value(run_id: str) -> float | None:
        run = runs.get(run_id)
        if run is None:
            return None
        if metric == "accuracy":
            return _number(run["accuracy"])
        part = run["rule"] if score == RULE else run["scores"].get(score)
        return None if part is None else _number(part[metric])

    return measured(cell, name(cell.method, score), value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _curves(cell: Cell, runs: Mapping[str, dict[str, Any]], score: str) -> Floats:
    found = [
        [runs[i]["scores"][score][curve] for curve in ("roc", "ccr")]
        for i in cell.run_ids
        if i in runs and score in runs[i]["scores"]
    ]
    # Without runs, none of the 101 points either.
    return np.array(found, dtype=np.float64).reshape(len(found), 2, -1 if found else 0)


def _unknowns(block: Block, run: Mapping[str, Any]) -> str:
    kind, _, rest = block.key.dataset.partition(", unknown ")[2].partition(":")
    known = len(run["classes"])
    if kind == "classes":
        return f"{known} of {known + int(rest)} classes known, {rest} unknown"
    return f"all {known} classes known, images of {rest} unknown"


def _counts(runs: Sequence[Mapping[str, Any]] | Any) -> str:
    parts = []
    for what in ("known", "unknown", "validation"):
        seen = sorted({int(run[what]) for run in runs})
        span = f"{seen[0]:,}" + (f" to {seen[-1]:,}" if len(seen) > 1 else "")
        parts.append(f"{span} {what}")
    return f"{parts[0]} and {parts[1]} test images, {parts[2]} images of known classes"


def _unit(runs: Sequence[Mapping[str, Any]] | Any) -> str:
    """A seed draws the class split too; with more seeds than splits a replicate is a seed."""
    splits = {tuple(run["classes"]) for run in runs}
    return "class split" if len(splits) > 1 else "seed"


def replicates(protocol: Protocol) -> str:
    """What a replicate is, as a sentence."""
    if protocol.unit == "seed":
        return (
            "A seed re-draws label noise, validation split, initial weights and batch order, the"
            " same for every method; the known classes are the same throughout."
        )
    seeds = {seed for cell in protocol.cells.values() for seed in cell.seeds}
    return (
        f"A replicate is a class split: {plural(len(seeds), 'seed')} draw which classes are known,"
        " together with label noise, validation split, initial weights and batch order, the same"
        " for every method. The splits are the sample; conclusions are about other splits of this"
        " data set."
    )
