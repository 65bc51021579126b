"""The page of suspicious labels: answer, images, table, and how it was made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nlbench.benchmark.suspicious.judge import Verdict
from nlbench.benchmark.suspicious.out_of_fold import Setting
from nlbench.benchmark.suspicious.samples import Samples
from nlbench.benchmark.suspicious.truth import Measured
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.text import listing, number, plural

ROWS = 30
CHANGES = 5
SOURCE = (
    "Score: 1 minus the probability that networks which were not trained on the sample give to its"
    " label (self-confidence), averaged over the methods. A sample is flagged where the averaged"
    " probabilities count it confidently as another class: at least as probable as that class is on"
    " average for the samples labelled so. Both are from confident learning (Northcutt, Jiang and"
    " Chuang, Journal of Artificial Intelligence Research 70, 2021). Agree: how many methods flag"
    " it each by itself. Guess: the most probable class. A flag is a reason to look, not a proof."
)


def answer(samples: Samples, verdict: Verdict, measured: Sequence[Measured]) -> str:
    """What was found, in a few lines."""
    flagged = np.flatnonzero(verdict.flagged)
    share = 100 * len(flagged) / len(samples)
    lines = [
        f"{len(flagged):,} of {plural(len(samples), 'label')} look wrong ({number(share, 1)} %)."
    ]
    if changes := _changes(samples, verdict):
        lines.append(f"Most often, given → better guess: {listing(changes)}.")
    if samples.truth is not None:
        wrong = int((samples.given != samples.truth).sum())
        lines.append(f"Wrong by the true labels ({samples.noise}): {wrong:,}.")
    if measured:
        lines += ["", _measured(measured)]
    return "\n".join(lines)


def page(
    samples: Samples,
    setting: Setting,
    methods: Sequence[str],
    rows: pd.DataFrame,
    first: str,
    command: str,
    shown: int,
) -> str:
    """The page as Markdown."""
    parts = [f"# {escape(samples.name)}: suspicious labels", first]
    if shown:
        parts += [
            f"## The {shown} most suspicious",
            "![the most suspicious images](contact_sheet.png)",
            "Below each image: given label, → better guess, number of the sample and score; in grey"
            " where it is not flagged.",
        ]
    head = rows.head(ROWS)
    cells = [[escape(_cell(value)) for value in row] for row in head.itertuples(index=False)]
    parts += [
        f"## The first {len(head)} of suspicious.csv",
        table([str(name) for name in head.columns], cells, left=len(head.columns)),
        "## How",
        SOURCE,
        f"Methods: {escape(listing(list(methods)))}; {setting.folds} folds, stratified by given"
        f" label; {setting.epochs} epochs each, seed {setting.seed}. Truth:"
        f" {'known' if samples.truth is not None else 'not known'}.",
        f"```\n{command}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _changes(samples: Samples, verdict: Verdict) -> list[str]:
    """The most frequent pairs of given label and guess among flagged samples."""
    at = verdict.flagged & (verdict.guess != samples.given)
    pairs = samples.given[at] * samples.num_classes + verdict.guess[at]
    counts = np.bincount(pairs)
    first = np.argsort(-counts, kind="stable")[:CHANGES]
    names = samples.class_names
    return [
        f"{escape(names[pair // len(names)])} → {escape(names[pair % len(names)])}"
        f" ({counts[pair]:,})"
        for pair in first.tolist()
        if counts[pair]
    ]


def _measured(measured: Sequence[Measured]) -> str:
    rows = [
        [
            escape(each.judge),
            f"{each.flagged:,}",
            number(None if each.precision is None else 100 * each.precision, 1),
            number(100 * each.recall, 1),
            number(100 * each.at_rate, 1),
            number(each.auroc, 3),
            number(each.ap, 3),
        ]
        for each in measured
    ]
    heads = ["judge", "flagged", "precision %", "recall %", "both at the true rate %", "AUROC"]
    return table([*heads, "average precision"], rows)


def _cell(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
