"""Suspicious labels: found by networks out of fold, as a table and as files.

Here and not in ``reports``, which trains nothing.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from nlbench import suspects_page
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.suspicious.folds import assign
from nlbench.benchmark.suspicious.judge import Probabilities, Verdict, judge
from nlbench.benchmark.suspicious.out_of_fold import Setting, Tell, out_of_fold
from nlbench.benchmark.suspicious.samples import Samples
from nlbench.benchmark.suspicious.truth import Measured, measure
from nlbench.benchmark.toy.methods import methods_of
from nlbench.noise import whole
from nlbench.reports.render.files import write_csv
from nlbench.suspects_sheet import contact_sheet

# Digits of scores: the last ones of a network's probabilities are those of the machine.
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Found:
    """What was found.

    Attributes:
        samples: what was judged.
        setting: how the judges were trained.
        probabilities: (N, K) of each method, out of fold.
        verdict: on each label.
        measured: how well wrong labels were found; empty where the truth is not known.
    """

    samples: Samples
    setting: Setting
    probabilities: Mapping[str, Probabilities]
    verdict: Verdict
    measured: Sequence[Measured]

    @property
    def table(self) -> pd.DataFrame:
        """A row per sample, most suspicious first."""
        samples, verdict, order = self.samples, self.verdict, self.verdict.order
        names = np.array(samples.class_names, dtype=object)
        columns: dict[str, object] = {"sample": samples.numbers[order]}
        if samples.files is not None:
            columns["file"] = [samples.files[row] for row in order]
        columns |= {
            "given": names[samples.given[order]],
            "guess": names[verdict.guess[order]],
            "score": verdict.score[order].round(DIGITS),
            "flagged": verdict.flagged[order],
            "agree": verdict.agree[order],
        }
        if samples.truth is not None:
            columns["true"] = names[samples.truth[order]]
        return pd.DataFrame(columns)


def find(
    samples: Samples,
    methods: Sequence[str],
    setting: Setting,
    folder: Path | None = None,
    tell: Tell = lambda _line: None,
) -> Found:
    """Judge the labels of samples.

    Args:
        samples: with their given labels.
        methods: each with its hyper-parameters, as in ``gce:q=0.5``.
        setting: how they are trained.
        folder: where finished folds are kept.
        tell: takes a line on each fold.

    Raises:
        UserError, MethodError: what cannot be trained.
    """
    asked = {each.text: each.method for each in methods_of(methods)}
    if not asked:
        raise UserError("methods: none is named; an example is ce,gce")
    setting = setting.settled(samples)
    seen = out_of_fold(samples, asked, setting, folder, tell)
    truth = samples.truth
    return Found(
        samples=samples,
        setting=setting,
        probabilities=seen,
        verdict=judge(list(seen.values()), samples.given),
        measured=[] if truth is None else measure(seen, samples.given, truth),
    )


def write(found: Found, out: Path, command: str, top: int, keep: bool) -> str:
    """Write suspicious.csv, contact_sheet.png and index.md; return the page's first lines.

    Args:
        found: what was found.
        out: folder, made if it is not there.
        command: what makes the same files, for the page.
        top: how many samples the contact sheet shows.
        keep: whether probabilities.npz is written too.

    Raises:
        UserError: the folder cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        table = found.table
        write_csv(table, out / "suspicious.csv")
        shown = found.verdict.order[: top if found.samples.pictures else 0]
        if len(shown):
            contact_sheet(found.samples, found.verdict, shown, out / "contact_sheet.png")
        if keep:
            whole.write_bytes(out / "probabilities.npz", _probabilities(found))
        answer = suspects_page.answer(found.samples, found.verdict, found.measured)
        methods = list(found.probabilities)
        page = suspects_page.page(
            found.samples, found.setting, methods, table, answer, command, len(shown)
        )
        whole.write_text(out / "index.md", page)
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written ({error.strerror or error})") from error
    return answer


def _probabilities(found: Found) -> bytes:
    """What every network said of the samples that it had not seen, in the order of the data."""
    samples, setting = found.samples, found.setting
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        methods=np.array(list(found.probabilities)),
        probabilities=np.stack(list(found.probabilities.values())).astype("<f4"),
        sample=samples.numbers,
        given=samples.given,
        fold=assign(samples.given, samples.class_names, setting.folds, setting.seed),
        class_names=np.array(samples.class_names),
    )
    return buffer.getvalue()
