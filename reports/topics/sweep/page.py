"""sweep.md, and the names of the CSV files beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nlbench.benchmark.store import names
from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.render.caption import completeness, provenance
from nlbench.reports.render.files import to_csv
from nlbench.reports.render.grid import COLLAPSED, INCOMPLETE
from nlbench.reports.render.markdown import MARKS, bullets, escape, table
from nlbench.reports.text import NONE, interval, number
from nlbench.reports.topics.parts import about, section, spread_of
from nlbench.reports.topics.sweep.compare import Measured, measure
from nlbench.reports.topics.sweep.find import Setting, Sweep, sweeps
from nlbench.reports.topics.sweep.selection import Choices, choose
from nlbench.reports.topics.sweep.sentences import (
    choice_sentences,
    level_sentence,
    pick,
    sensitivity,
)
from nlbench.reports.topics.sweep.tables import Found, choice_table, levels_table, settings_table

FILE = "sweep"
MASS = {names.MEAN_CLEAN: "clean", names.MEAN_FLIPPED: "flipped"}


def search(results: Results) -> Found:
    """Every grid of the study, with its comparisons and what validation would have chosen."""
    rope, test = results.study.rope, results.test
    return [(sweep, measure(sweep, rope, test), choose(sweep)) for sweep in sweeps(results)]


def tables(results: Results, found: Found) -> dict[str, str]:
    """A row per setting, per level, and per seed that validation can choose in."""
    texts = {
        f"{FILE}.csv": to_csv(settings_table(results, found)),
        f"{FILE}-levels.csv": to_csv(levels_table(found)),
    }
    if any(choices for *_, choices in found):
        texts[f"{FILE}-choice.csv"] = to_csv(choice_table(found))
    return texts


def pages(results: Results, found: Found) -> dict[str, str]:
    """sweep.md."""
    parts = [f"# {escape(results.study.title)}: hyper-parameters"]
    for sweep, measured, choices in found:
        parts += _sections(results, sweep, measured, choices)
    return {f"{FILE}.md": "\n\n".join(parts) + "\n"}


def index_section(results: Results, found: Found, block: Block | None) -> Sequence[str]:
    """The first sentences of every sweep."""
    if block is not None:
        return []
    lines = []
    for sweep, measured, choices in found:
        lines += sensitivity(sweep, measured, results.study.rope)
        lines += choice_sentences(sweep, choices) if choices else []
    return section("Hyper-parameters", f"{FILE}.md", lines, level=2)


def caption(results: Results, sweep: Sweep) -> str:
    """Caption of every table and figure of a sweep."""
    epochs, rule, seeds = about(results, [s.cell for s in (*sweep.settings, *sweep.beside)])
    return " ".join(
        (
            f"{sweep.block.title}, noise {sweep.condition.line}, {epochs}; {rule}; mean ± standard"
            f" deviation (n − 1) over {seeds}).",
            f"Default: the setting declared first ({sweep.name(sweep.default)}).",
            *completeness(sweep.block),
            provenance(results, sweep.block),
        )
    )


def _sections(
    results: Results, sweep: Sweep, found: Measured, choices: Choices | None
) -> list[str]:
    fixed = f" ({sweep.fixed})" if sweep.fixed else ""
    title = f"{sweep.title}{fixed}: {sweep.rows.label} and {sweep.columns.label}"
    parts = [f"## {escape(title)}", escape(caption(results, sweep))]
    parts += ["### Test accuracy (%)", _matrix(sweep, _accuracy), *_key(sweep)]
    if sweep.has_extra_output:
        for name, word in MASS.items():
            parts += [
                f"### Probability of the extra output, {word} training samples, last epoch",
                _matrix(sweep, lambda s, name=name: spread_of(s.last[name], 3)),  # type: ignore[misc]
            ]
    if sweep.beside:
        parts += ["### Beside the grid", _beside(sweep, found)]
    parts += ["### How much it matters", bullets(sensitivity(sweep, found, results.study.rope))]
    parts += [
        "Level by level against the default's, each difference averaged over the other axis seed by"
        " seed, then tested over seeds; Holm over the levels of an axis:",
        bullets([level_sentence(sweep, level) for level in found.levels]),
    ]
    if found.beside:
        parts += [
            "The methods beside the grid against the default"
            f" ({escape(sweep.name(sweep.default))}), Holm over {len(found.beside)}:",
            bullets([verdict.sentence() for verdict in found.beside]),
        ]
    if choices is not None:
        parts += [
            "### What a noisy validation set alone would have chosen",
            _choice_md(sweep, choices),
            bullets(choice_sentences(sweep, choices)),
        ]
    return parts


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
    text = spread_of(cell.values)
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
    headers = ["method", "test accuracy (%)", "extra output, clean", "extra output, flipped",
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
                *(spread_of(setting.last[key], 3) for key in MASS),
                *_against(verdict),
            ]
        )
    return table(headers, rows)


def _against(verdict: Comparison | None) -> list[str]:
    if verdict is None:
        return [NONE] * 4
    return [
        number(verdict.estimate, sign=True),
        interval(verdict.ci_low, verdict.ci_high) or NONE,
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
