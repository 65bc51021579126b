"""index.md: the study on one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pandas as pd

from nlbench.reports.compare.comparison import DECLARED, EXPLORATORY, Comparison
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.drawn import Drawn
from nlbench.reports.read.cells import Block
from nlbench.reports.render.across_conditions import first_sections
from nlbench.reports.render.answer import answer
from nlbench.reports.render.grid import accuracy_grid
from nlbench.reports.render.highlight import Highlight
from nlbench.reports.render.machines import mixed
from nlbench.reports.render.markdown import (
    bullets,
    caption_under,
    escape,
    grid_table,
    notes_under,
    table,
)
from nlbench.reports.render.verdicts import averages, declaration, exploration
from nlbench.reports.text import plural

SENTENCES = 30
HIGHLIGHTS = 3  # lines below the answer
FILES = (
    ("leaderboard.csv", "a row per method and condition, numbers as numbers"),
    ("runs.csv", "a row per run: accuracies, fingerprints, environment"),
    ("verdicts.csv", "a row per declared comparison and gate, [as a table](significance.md)"),
    ("significance.csv", "a row per comparison in one condition, [as a table](significance.md)"),
    ("overall.csv", "a row per pair of methods over all conditions, [as a table](overall.md)"),
    ("accuracy.tex", "the table for a paper, with [a document around it](accuracy-document.tex)"),
    ("selection.md", "last epoch, validation and oracle accuracy of the same runs"),
)
# Not written where a table of accuracies was given.
OF_RECORDS = FILES[-1:]


class Topics(Protocol):
    """What the page needs of the topics of the study."""

    @property
    def warnings(self) -> Sequence[str]:
        """What a reader must know, a line each."""

    @property
    def highlights(self) -> Sequence[Highlight]:
        """What the first screen shows beside the accuracies."""

    @property
    def files(self) -> Sequence[tuple[str, str]]:
        """Names of files, and what is in them."""

    def sections(self, block: Block | None) -> Sequence[str]:
        """Paragraphs about a block, or (``None``) about the study."""


def index_markdown(
    results: Results, leaderboard: pd.DataFrame, drawn: Sequence[Drawn], topics: Topics
) -> str:
    """Title, answer, tables with one figure, then verdicts, notes, figures and the set-up."""
    study = results.study
    parts = [f"# {escape(study.title)}"]
    parts += [f"> **Part of a study:** {escape(study.part)}."] if study.part else []
    parts.append(_answer(results, topics))
    if warnings := (*results.warnings, *topics.warnings):
        parts.append("\n".join(f"> **Note:** {escape(line)}.\n>" for line in warnings))
    parts += [escape(study.description)] if study.description else []
    first = next((figure for figure in drawn if figure.block is not None), None)
    for block in results.blocks:
        parts += _block(results, block, leaderboard)
        if first is not None and first.block == block.index:
            parts += _figures([first], block.index)
    for highlight in topics.highlights:
        parts += _highlight(highlight)
    parts += _verdicts(results)
    rest = [figure for figure in drawn if figure is not first]
    for block in results.blocks:
        parts += _details(results, block)
        parts += [*topics.sections(block), *_figures(rest, block.index)]
    parts += topics.sections(None)
    for whole in results.overall:
        parts += [
            f"## Across conditions (profile {escape(whole.profile)})",
            *first_sections(results, whole),
        ]
    parts += _figures(rest, None)
    parts += [
        "## Set-up",
        setup_table(results),
        "## Files",
        _files(results, topics),
        *_again(results),
    ]
    return "\n\n".join(parts) + "\n"


def _answer(results: Results, topics: Topics) -> str:
    """Who leads where, by how much, how sure; then a line for each highlight."""
    lines = [f"- **{what}:** {escape(line)}" for what, line in answer(results).lines]
    for highlight in topics.highlights[:HIGHLIGHTS]:
        what = escape(f"{highlight.topic}, {highlight.title}")
        lines.append(f"- **{what}:** {escape(highlight.line)}")
    return "\n".join(lines)


def _highlight(found: Highlight) -> list[str]:
    rows = [
        [f"**{escape(cell)}**" if (y, x) in found.strong else escape(cell) for x, cell in row]
        for y, row in ((y, list(enumerate(row))) for y, row in enumerate(found.rows))
    ]
    return [
        f"## {escape(f'{found.topic}, {found.title}')}",
        table([escape(name) for name in found.headers], rows),
        f"*{escape(found.note)}*",
    ]


def _block(results: Results, block: Block, leaderboard: pd.DataFrame) -> list[str]:
    grid = accuracy_grid(block, leaderboard)
    parts = [f"## {escape(block.title)}", grid_table(results, block, grid)]
    return [*parts, *caption_under(results, block, grid)]


def _details(results: Results, block: Block) -> list[str]:
    """Notes to the table of a block, and its comparisons in words."""
    several = len(results.blocks) > 1
    parts = [f"## Details: {escape(block.title)}" if several else "## Details"]
    parts.append(notes_under(results, block))
    verdicts = results.in_block(block)
    if verdicts:
        parts += ["### In words", *_sentences(verdicts)]
    return parts


def _verdicts(results: Results) -> list[str]:
    """The declared verdicts on averages over conditions; single conditions are with their table."""
    lines = averages(results.gates)
    if not lines:
        return []
    parts = ["## Verdicts", escape(declaration(results)), bullets(lines[:SENTENCES])]
    if len(lines) > SENTENCES:
        parts.append(f"All {len(lines)}, and each gate: [significance.md](significance.md).")
    return parts


def _figures(drawn: Sequence[Drawn], block: int | None) -> list[str]:
    parts = []
    for figure in drawn:
        if figure.block == block:
            png, pdf = (f"figures/{file.name}" for file in figure.files)
            parts += [f"[![{escape(figure.name)}]({png})]({pdf})", f"*{escape(figure.caption)}*"]
    return parts


def _sentences(verdicts: Sequence[Comparison]) -> list[str]:
    """The declared comparisons by condition, then the others where a reader can take them in."""
    declared = [v for v in verdicts if v.role == DECLARED]
    others = [v for v in verdicts if v.role == EXPLORATORY]
    parts = [bullets(v.sentence() for v in declared[:SENTENCES])] if declared else []
    if others and len(verdicts) <= SENTENCES:
        parts += [exploration(verdicts), bullets(v.sentence() for v in others)]
    elif others or len(declared) > SENTENCES:
        parts.append(f"All {len(verdicts)} comparisons: [significance.md](significance.md).")
    return parts


def setup_table(results: Results) -> str:
    """Data, recipe and environment, a row each."""
    if given := results.study.given:
        rows = [[escape(what), escape(value)] for what, value in given.items()]
        return table(["what", "value"], rows, left=2)
    runs = results.frame.runs
    there = runs[runs["status"] != "missing"]
    specs = results.study.specs
    recipes = sorted(_recipe(recipe.to_dict()) for recipe in {spec.recipe for spec in specs})
    seeds = sorted({spec.seed for spec in specs})
    methods = dict.fromkeys(
        f"{label} {params}" if params != "{}" else label
        for label, params in runs[["method", "params"]].drop_duplicates().to_numpy().tolist()
    )
    hours = float(there["seconds"].fillna(0).sum()) / 3600
    rows = [
        ["suite", f"{results.study.name} (sha256 {results.study.sha256})"],
        ["runs", f"{len(there):,} of {len(runs):,}, {hours:.2f} hours of training"],
        ["seeds", " ".join(map(str, seeds))],
        *(["method", text] for text in methods),
        *(["recipe", text] for text in recipes),
    ]
    for title, column in (
        ("device", "device"), ("threads per run", "threads"), ("backend", "backend"),
        ("deterministic", "deterministic"), ("torch", "torch"), ("python", "python"),
        ("nlbench", "nlbench"), ("commit", "commit"),
    ):  # fmt: skip
        values = sorted({str(v) for v in there[column].dropna()})
        rows.append([title, ", ".join(values) or "not recorded"])
    rows += [[title, words] for title, words in mixed(there).items()]
    if there["dirty"].eq(True).any():
        count = int(there["dirty"].eq(True).sum())
        rows.append(["uncommitted changes", f"in {plural(count, 'run')}"])
    return table(["what", "value"], [[escape(cell) for cell in row] for row in rows], left=2)


def _recipe(values: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items() if value not in ([], None))


def _files(results: Results, topics: Topics) -> str:
    files = [file for file in FILES if file not in OF_RECORDS or not results.study.given]
    return "\n".join(f"- [{name}]({name}): {words}" for name, words in (*files, *topics.files))


def _again(results: Results) -> list[str]:
    command = results.study.command
    if not command:
        return []
    fence = "~~~~" if "```" in command else "```"
    return ["## Make it again", f"{fence}\n{command}\n{fence}"]
