"""What was chosen where settings were tuned: the setting, by which rule, from which records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.spec.tuned import Choice, Tuned
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import chosen_sentence
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.text import number
from nlbench.reports.topics import parts
from nlbench.reports.topics.columns import PLACE, csv, place
from nlbench.reports.topics.topic import Topic

FILE = "tuned"
COLUMNS = (
    *PLACE, "condition", "method", "lr", "params", "untuned_lr", "untuned_params", "rule",
    "tried", "held_out_accuracy", "untuned_held_out_accuracy", "seeds", "suite", "suite_sha256",
    "records", "records_sha256", "commits",
)  # fmt: skip
HEADS = ["noise", "method", "lr", "chosen", "changed by tuning", "tried",
         "held-out noisy labels (%)", "untuned", "test accuracy (%)"]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One method in one condition.

    Attributes:
        block: that it is in.
        cell: its runs.
        choice: how its setting was chosen.
        setting: the hyper-parameters of its runs, and ``lr``.
    """

    block: Block
    cell: Cell
    choice: Choice
    setting: Mapping[str, Any]

    def changes(self) -> str:
        """What differs from the setting without tuning, in words."""
        before = self.choice.untuned
        words = [
            f"{key} {_plain(before.get(key))} → {_plain(value)}"
            for key, value in self.setting.items()
            if before.get(key) != value
        ]
        return ", ".join(words) or "nothing"


def find(results: Results) -> list[Row]:
    """A row per method and condition whose setting was chosen according to the suite."""
    tuned = results.study.tuned
    if tuned is None:
        return []
    specs = {spec.run_id: spec for spec in results.study.specs}
    return [
        Row(block, cell, choice, _setting(spec))
        for block in results.blocks
        for cell in block.declared()
        for spec in [specs[cell.run_ids[0]]]
        if (choice := tuned.of(spec.noise, spec.method.name)) is not None
    ]


def tables(results: Results, rows: list[Row]) -> dict[str, str]:
    """tuned.csv."""
    tuned = _tuned(results)
    return {f"{FILE}.csv": csv([_record(tuned, row) for row in rows], COLUMNS)}


def pages(results: Results, rows: list[Row]) -> dict[str, str]:
    """tuned.md."""
    tuned, texts = _tuned(results), [f"# {escape(results.study.title)}: chosen settings"]
    for block in results.blocks:
        here = [row for row in rows if row.block is block]
        lines = [_line(row) for row in here]
        texts += [f"## {escape(block.title)}", table(HEADS, lines, left=2)]
        texts += [escape(" ".join(chosen_sentence(results, block)))]
    texts.append(
        "The first setting that is tried is the method's without tuning; of equal scores the first"
        " counts. The test accuracy is of other seeds than those that chose. The records that were"
        f" read: {tuned.records} of suite {escape(tuned.suite)}, SHA-256 of what it declares"
        f" {tuned.sha256}, over the digests of its records {tuned.digest}, made by commit"
        f" {', '.join(tuned.commits) or 'unknown'}."
    )
    return {f"{FILE}.md": "\n\n".join(texts) + "\n"}


def section(results: Results, rows: list[Row], block: Block | None) -> Sequence[str]:
    """What tuning changed, in a sentence."""
    here = [row for row in rows if row.block is block]
    if not here:
        return []
    kept = sum(row.changes() == "nothing" for row in here)
    line = f"Of {len(here)} choices {kept} left the setting as it is without tuning."
    sentences = [*chosen_sentence(results, here[0].block), line]
    return parts.section("Chosen settings", f"{FILE}.md", sentences, level=3)


def _tuned(results: Results) -> Tuned:
    assert results.study.tuned is not None  # else nothing is found
    return results.study.tuned


def _setting(spec: RunSpec) -> dict[str, Any]:
    return {**spec.method.values, "lr": spec.recipe.lr}


def _line(row: Row) -> list[str]:
    values = {key: value for key, value in row.setting.items() if key != "lr"}
    words = ", ".join(f"{key} = {_plain(value)}" for key, value in values.items())
    return [
        escape(pretty_condition(row.cell.condition)),
        escape(row.cell.method),
        _plain(row.setting["lr"]),
        escape(words),
        escape(row.changes()),
        str(row.choice.tried),
        number(row.choice.score),
        number(row.choice.untuned_score),
        parts.value(row.cell),
    ]


def _record(tuned: Tuned, row: Row) -> dict[str, Any]:
    # TOML has no form for None: what it leaves out is that.
    before, after = {key: row.choice.untuned.get(key) for key in row.setting}, dict(row.setting)
    untuned_lr, lr = before.pop("lr"), after.pop("lr")
    return {
        **place(row.block),
        "condition": row.cell.condition,
        "method": row.cell.method,
        "lr": lr,
        "params": json.dumps(after),
        "untuned_lr": untuned_lr,
        "untuned_params": json.dumps(before),
        "rule": tuned.rule,
        "tried": row.choice.tried,
        "held_out_accuracy": row.choice.score,
        "untuned_held_out_accuracy": row.choice.untuned_score,
        "seeds": " ".join(map(str, tuned.seeds)),
        "suite": tuned.suite,
        "suite_sha256": tuned.sha256,
        "records": tuned.records,
        "records_sha256": tuned.digest,
        "commits": " ".join(tuned.commits),
    }


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


TOPIC = Topic(
    name=FILE,
    find=find,
    tables=tables,
    pages=pages,
    files=((f"{FILE}.md", "which settings were chosen, by which rule, from which records"),),
    section=section,
)
