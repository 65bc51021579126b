"""sweep.md, and the names of the CSV files beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.render.caption import RULE_WORDS, SEED_WORDS, completeness, provenance
from nlbench.reports.render.files import to_csv
from nlbench.reports.render.grid import COLLAPSED, INCOMPLETE
from nlbench.reports.render.markdown import MARKS, escape, table
from nlbench.reports.stats import mean_interval
from nlbench.reports.text import NONE, number
from nlbench.reports.topics.sweep.compare import Measured, measure
from nlbench.reports.topics.sweep.find import Setting, Sweep, sweeps
from nlbench.reports.topics.sweep.selection import Choices, choose
from nlbench.reports.topics.sweep.sentences import (
    choice_sentences,
    level_sentence,
    pick,
    sensitivity,
)
from nlbench.reports.topics.sweep.tables import choice_table, levels_table, settings_table

FILE = "sweep"
MASS = {"drainage_clean": "clean", "drainage_flipped": "flipped"}


def sweep_texts(results: Results, only: str | None = None) -> dict[str, str]:
    """File name -> content; empty where the study has no grid.

    Args:
        results: of the study.
        only: part of the report that was asked for, one of ``reports.PARTS`` or ``None`` for all.
    """
    if only not in (None, "leaderboard", "tables"):
        return {}
    rope = results.study.rope
    found = [(sweep, measure(sweep, rope), choose(sweep)) for sweep in sweeps(results)]
    texts: dict[str, str] = {}
    if found and only in (None, "leaderboard"):
        texts[f"{FILE}.csv"] = to_csv(settings_table(results, found))
        texts[f"{FILE}-levels.csv"] = to_csv(levels_table(found))
        if any(choices for *_, choices in found):
            texts[f"{FILE}-choice.csv"] = to_csv(choice_table(found))
    if found and only in (None, "tables"):
        parts = [f"# {escape(results.study.title)}: hyper-parameters"]
        for sweep, measured, choices in found:
            parts += _sections(results, sweep, measured, choices)
        texts[f"{FILE}.md"] = "\n\n".join(parts) + "\n"
    return texts


def headlines(results: Results) -> list[str]:
    """The first sentences of every sweep, for a page that has room for a few."""
    lines = []
    for sweep in sweeps(results):
        lines += sensitivity(sweep, measure(sweep, results.study.rope), results.study.rope)
        choices = choose(sweep)
        lines += choice_sentences(sweep, choices) if choices else []
    return lines


def caption(results: Results, sweep: Sweep) -> str:
    """What every table and figure of a sweep must say about itself."""
    members = [s.cell for s in (*sweep.settings, *sweep.beside)]
    counts = sorted({cell.summary.n for cell in members})
    n = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    ids = {run_id for cell in members for run_id in cell.run_ids}
    epochs = sorted({s.recipe.epochs for s in results.study.specs if s.run_id in ids})
    return " ".join(
        (
            f"{sweep.block.title}, noise {sweep.condition.line}, {'/'.join(map(str, epochs))}"
            f" epochs; accuracy rule {results.rule} ({RULE_WORDS[results.rule]}); mean ± standard"
            f" deviation (n − 1) over n = {n} seeds ({SEED_WORDS}).",
            f"Default: the setting declared first ({sweep.name(sweep.default)}).",
            *completeness(sweep.block),
            provenance(results, sweep.block),
        )
    )


def spread_text(values: NDArray[np.float64], digits: int = 2) -> str:
    """``0.43 ± 0.02``, ``0.43`` for one seed, ``–`` for none."""
    found = mean_interval(values[np.isfinite(values)])
    sd = "" if found.sd is None else f" ± {number(found.sd, digits)}"
    return f"{number(found.mean, digits)}{sd}"


def _sections(
    results: Results, sweep: Sweep, found: Measured, choices: Choices | None
) -> list[str]:
    fixed = f" ({sweep.fixed})" if sweep.fixed else ""
    title = f"{sweep.title}{fixed}: {sweep.rows.label} and {sweep.columns.label}"
    parts = [f"## {escape(title)}", escape(caption(results, sweep))]
    parts += ["### Test accuracy (%)", _matrix(sweep, _accuracy), *_key(sweep)]
    if sweep.drains:
        for name, word in MASS.items():
            parts += [
                f"### Mass in the drainage output, {word} training samples, last epoch",
                _matrix(sweep, lambda s, name=name: spread_text(s.last[name], 3)),  # type: ignore[misc]
            ]
    if sweep.beside:
        parts += ["### Beside the grid", _beside(sweep, found)]
    parts += ["### How much it matters", _bullets(sensitivity(sweep, found, results.study.rope))]
    parts += [
        "Level by level against the default's, each difference averaged over the other axis seed by"
        " seed, then tested over seeds; Holm over the levels of an axis:",
        _bullets([level_sentence(sweep, level) for level in found.levels]),
    ]
    if found.beside:
        parts += [
            "The methods beside the grid against the default"
            f" ({escape(sweep.name(sweep.default))}), Holm over {len(found.beside)}:",
            _bullets([verdict.sentence() for verdict in found.beside]),
        ]
    if choices is not None:
        parts += [
            "### What a noisy validation set alone would have chosen",
            _choice_md(sweep, choices),
            _bullets(choice_sentences(sweep, choices)),
        ]
    return parts


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _matrix(sweep: Sweep, text: Callable[[Setting], str]) -> str:
    cells = {s.at: text(s) for s in sweep.settings}
    corner = f"{sweep.rows.label} ↓, {sweep.columns.label} →"
    headers = [corner, *(f"{level:g}" for level in sweep.column_levels)]
    rows = [
        [f"{row:g}", *(cells.get((row, column), "") for column in sweep.column_levels)]
        for row in sweep.row_levels
    ]
    return table([escape(h) for h in headers], rows)


def _accuracy(setting: Setting) -> str:
    cell = setting.cell
    text = spread_text(cell.values)
    if not cell.complete:
        text += f" {MARKS[INCOMPLETE]}{cell.summary.n}/{cell.expected}"
    if cell.collapsed.any():
        text += f" {MARKS[COLLAPSED]}{int(cell.collapsed.sum())}"
    return text


def _key(sweep: Sweep) -> list[str]:
    cells = [s.cell for s in sweep.settings]
    lines = []
    if not all(cell.complete for cell in cells):
        lines.append(f"{MARKS[INCOMPLETE]} seeds with a value / declared seeds; not tested.")
    if any(cell.collapsed.any() for cell in cells):
        lines.append(f"{MARKS[COLLAPSED]} so many runs collapsed to chance or diverged.")
    return lines


def _beside(sweep: Sweep, found: Measured) -> str:
    headers = ["method", "test accuracy (%)", "drained, clean", "drained, flipped",
               "minus default", "95 % interval", "p_Holm", "verdict"]  # fmt: skip
    verdicts = {v.a: v for v in found.beside}
    rows = []
    for setting in (sweep.default, *sweep.beside):
        verdict = verdicts.get(setting.cell.method)
        name = f"default: {sweep.name(setting)}" if setting.at else sweep.name(setting)
        rows.append(
            [
                escape(name),
                _accuracy(setting),
                *(spread_text(setting.last[key], 3) for key in MASS),
                *_against(verdict),
            ]
        )
    return table(headers, rows)


def _against(verdict: Comparison | None) -> list[str]:
    if verdict is None:
        return [NONE] * 4
    low, high = verdict.ci_low, verdict.ci_high
    return [
        number(verdict.estimate, sign=True),
        NONE if low is None else f"[{number(low)}, {number(high)}]",
        NONE if verdict.p_holm is None else number(verdict.p_holm, 3),
        escape(verdict.words),
    ]


def _choice_md(sweep: Sweep, choices: Choices) -> str:
    headers = ["seed", "chosen", "noisy validation", "its test accuracy", "default", "best of seed",
               "its test accuracy", "best of the other seeds, here"]  # fmt: skip
    rows = [
        [
            str(c.seed),
            escape(pick(sweep, c)),
            number(c.validation),
            number(c.accuracy),
            number(c.default),
            escape(sweep.name(c.best)),
            number(c.best_accuracy),
            number(c.others_accuracy),
        ]
        for c in choices.seeds
    ]
    return table(headers, rows, left=2)
