"""What a table must say about itself, as plain sentences that every renderer shares."""

from __future__ import annotations

import numpy as np

from nlbench.reports.compare.comparison import ALPHA
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.render.grid import COLLAPSED, INCOMPLETE, UNPAIRED
from nlbench.reports.text import listing, number, plural, rate

RULE_WORDS = {
    "last": "last epoch",
    "noisy_val": "epoch chosen by accuracy on held-out noisy labels",
    "clean_val": "epoch chosen by accuracy on held-out clean labels",
    "oracle": "best epoch on the test set itself (oracle: an upper bound, not a result)",
}
MARK_WORDS = {
    INCOMPLETE: "incomplete (seeds with a value / declared seeds), not tested",
    COLLAPSED: "some runs diverged or collapsed to chance; they are in the mean",
    UNPAIRED: "not paired with the others (fingerprints differ), not tested",
}
SEED_WORDS = (
    "a seed re-draws label noise, validation split, initial weights, batch order and augmentation,"
    " the same for every method"
)


def accuracy_caption(results: Results, block: Block, rates: bool = True) -> list[str]:
    """Sentences under an accuracy table, in order; without the key to the marks.

    Args:
        results: what was computed.
        block: the table.
        rates: whether to name the realised noise rates (a table may have a column for them).
    """
    return [
        f"Test accuracy (%) on {block.data_label}, network {block.key.model}, profile"
        f" {block.key.profile}: mean ± standard deviation (n − 1) over {seeds(block)}"
        f" ({SEED_WORDS}).",
        f"Accuracy rule: {results.rule} ({RULE_WORDS[results.rule]}), measured on the clean test"
        " set.",
        bold_rule(results, block),
        *family_sentence(results, block),
        *mde_line(results, block),
        *([rates_sentence(block)] if rates else []),
        *completeness(block),
        provenance(results, block),
    ]


def seeds(block: Block) -> str:
    """``n = 5 seeds``, or the range where cells differ."""
    counts = sorted({cell.summary.n for cell in block.declared()})
    low, high = counts[0], counts[-1]
    return f"n = {low} to {plural(high, 'seed')}" if low != high else f"n = {plural(low, 'seed')}"


def bold_rule(results: Results, block: Block) -> str:
    """What bold means here."""
    if not any(v.comparable for v in results.in_block(block)):
        reason = "there is one method" if len(block.methods) < 2 else "no cell allows one"
        return f"No test was made ({reason}), so nothing is bold."
    return (
        "Bold: the best mean and every method that is not distinguishable from it at"
        f" {100 * ALPHA:g} % (two-sided paired t test over seeds, Holm-corrected)."
    )


def family_sentence(results: Results, block: Block) -> list[str]:
    """The families and their sizes."""
    verdicts = results.in_block(block)
    if not any(v.comparable for v in verdicts):
        return []
    sizes = {v.noise_type: v.family_size for v in verdicts}
    words = ", ".join(f"{kind}: {size}" for kind, size in sizes.items())
    return [
        "Family of the correction: all method pairs within this table and one noise type, over its"
        f" rates (comparisons: {words})."
    ]


def mde_line(results: Results, block: Block) -> list[str]:
    """What differences the tests could not have seen."""
    found = sorted(v.mde for v in results.in_block(block) if v.mde is not None)
    if not found:
        return []
    span = f"{number(found[0])} to {number(found[-1])}" if len(found) > 1 else number(found[0])
    return [
        f"Minimum detectable effect (80 % power at Holm's first step, spread of each pair as"
        f" observed): median {number(float(np.median(found)))} points ({span}); smaller true"
        " differences are not expected to be found."
    ]


def rates_sentence(block: Block) -> str:
    """Nominal against realised noise rates."""
    pairs = [
        f"{c.type} {rate(c.nominal)} ({rate(c.realised)})"
        for c in block.conditions
        if c.type != "clean"
    ]
    if not pairs:
        return "Labels are clean."
    return f"Nominal (realised) noise rates: {', '.join(pairs)}."


def completeness(block: Block) -> list[str]:
    """Missing, failed, diverged and collapsed runs; one sentence if there are none."""
    cells = list(block.declared())
    total = sum(cell.expected for cell in cells)
    words = [
        f"{count} {status}"
        for status in ("missing", "failed", "diverged")
        if (count := sum(cell.count(status) for cell in cells))
    ]
    collapsed = sum(int(cell.collapsed.sum()) - cell.count("diverged") for cell in cells)
    if collapsed > 0:
        words.append(f"{collapsed} collapsed")
    if not words:
        return [f"All {total:,} runs are there; none diverged or collapsed."]
    rule = ""
    if any(cell.collapsed.any() for cell in cells):
        rule = (
            " A diverged run counts with chance accuracy 1/K, a collapsed one (accuracy at most"
            " 1.5/K) with its own; methods with both kinds of runs are shown but not tested."
        )
    return [f"Of {total:,} runs: {listing(words)}.{rule}"]


def provenance(results: Results, block: Block) -> str:
    """Suite, commit, device and threads."""
    runs = results.frame.runs
    there = (runs["block"] == block.index) & (runs["status"] != "missing")
    runs = runs.loc[there, ["device", "commit", "threads"]]
    devices = sorted({str(v) for v in runs["device"].dropna().unique()})
    commits = sorted({str(v)[:12] for v in runs["commit"].dropna().unique()})
    study = results.study
    whole = "a part of suite" if study.part else "suite"
    words = [f"{whole} {study.name} ({study.sha256[:12]})"]
    words += [f"commit {', '.join(commits)}" if commits else "commit unknown"]
    words += [f"device {', '.join(devices)}"] if devices else []
    return f"From {', '.join(words)}."
