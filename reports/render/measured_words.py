"""What every table and figure of a measure must say about itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.reports.compare.comparison import ALPHA, Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.render.caption import completeness, provenance, rates_sentence
from nlbench.reports.stats import minimum_detectable_effect
from nlbench.reports.text import listing, number, plural


def setting(results: Results, block: Block) -> str:
    """Data label, network, profile and epochs of a block."""
    index = results.frame.runs["block"].to_numpy()
    specs = [s for s, at in zip(results.study.specs, index, strict=True) if at == block.index]
    epochs = sorted({spec.recipe.epochs for spec in specs})
    span = str(epochs[0]) if len(epochs) == 1 else f"{epochs[0]} to {epochs[-1]}"
    unit = "epoch" if span == "1" else "epochs"
    return f"{block.title}, {span} {unit}"


def evaluated(specs: Iterable[RunSpec]) -> str:
    """After which epochs accuracies were taken, as a sentence; empty where after each."""
    every = sorted({spec.recipe.eval_every for spec in specs})
    if every == [1]:
        return ""
    span = str(every[0]) if len(every) == 1 else f"{every[0]} to {every[-1]}"
    return f"Test and validation accuracy were taken every {span} epochs and after the last."


def sample(cells: Iterable[Cell], unit: str) -> str:
    """``n = 5 class splits``, or the range where cells differ."""
    counts = sorted({cell.summary.n for cell in cells})
    low, high = (counts[0], counts[-1]) if counts else (0, 0)
    return f"n = {low} to {plural(high, unit)}" if low != high else f"n = {plural(low, unit)}"


def origin(results: Results, block: Block) -> list[str]:
    """Noise rates, missing runs, and suite, commit and device."""
    return [rates_sentence(block), *completeness(block), provenance(results, block)]


def detectable(comparisons: Sequence[Comparison]) -> str:
    """What differences a family of comparisons could not have seen; empty if nothing was tested."""
    found = sorted(c.mde for c in comparisons if c.mde is not None)
    tested = [c for c in comparisons if c.mde is not None]
    if not found:
        return ""
    size, fewest = tested[0].family_size, min(c.n for c in tested)
    sds = minimum_detectable_effect(fewest, ALPHA / size)
    span = f" ({number(found[0])} to {number(found[-1])})" if len(found) > 1 else ""
    return (
        f"What could not have been seen: with n = {plural(fewest, tested[0].unit)} and Holm over"
        f" {plural(size, 'comparison')}, a paired t test finds with 80 % power a true difference"
        f" of {number(sds)} standard deviations of the paired difference; at the spreads seen that"
        f" is a median of {number(float(np.median(found)))} points{span}. Smaller true differences"
        " would often be missed: not distinguishable does not mean equal."
    )


def tally(comparisons: Sequence[Comparison], who: str) -> str:
    """In how many comparisons ``who`` is better, worse, undecided or not comparable, in words."""
    kinds = ("better", "worse", "undecided")
    counts = [sum(c.words == kind for c in comparisons) for kind in kinds]
    rest = len(comparisons) - sum(counts)
    words = [f"{kind} in {count}" for kind, count in zip(kinds, counts, strict=True)]
    words += [f"not comparable in {rest}"] if rest else []
    return f"{who} over {plural(len(comparisons), 'comparison')}: {listing(words)}"


def shown_words(panels: int, conditions: int, rows: int, methods: int) -> str:
    """A sentence for a caption: which part of the conditions and methods a figure shows."""
    words = []
    if conditions > panels:
        words.append(f"the first {panels} of {conditions} conditions")
    if methods > rows:
        words.append(f"the first {rows} of {methods} methods")
    return f" Shown: {' and '.join(words)}; the others are in the table." if words else ""
