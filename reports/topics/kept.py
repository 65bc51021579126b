"""What methods selected that leave samples out: how much, of which class least, and how well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell
from nlbench.reports.read.fields import KEPT
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.markdown import escape, table
from nlbench.reports.stats import Interval, mean_interval
from nlbench.reports.text import listing, rounded
from nlbench.reports.topics import parts
from nlbench.reports.topics.columns import PLACE, csv, place
from nlbench.reports.topics.topic import Topic

FILE = "kept"
# Column of a run -> how the table calls it.
HEADS = {
    "kept": "kept",
    "kept_least": "of the class least kept",
    "kept_precision": "right labels among them",
    "right": "right labels among all",
    "kept_recall": "kept of right labels",
}
COLUMNS = (
    *PLACE, "condition", "method", "n", "expected_n",
    *(f"{name}{end}" for name in HEADS for end in ("_mean", "_sd")), "seeds_without_a_class",
)  # fmt: skip
NOTE = (
    "Percent of the training samples at the last epoch, mean ± standard deviation over seeds; of"
    " two networks, what the first one was trained on. Which labels are right is known to the"
    " report, not to the method. Methods that leave no sample out are not listed."
)


@dataclass(frozen=True)
class Kept:
    """A method in a condition.

    Attributes:
        block: where it stands.
        cell: its runs.
        numbers: key of HEADS -> percent over seeds.
        without: seeds in which of some class no sample was kept.
    """

    block: Block
    cell: Cell
    numbers: Mapping[str, Interval]
    without: int

    @property
    def runs(self) -> int:
        """Runs that recorded what was kept."""
        return self.numbers["kept"].n


Found = tuple[Kept, ...]


def find(results: Results) -> Found:
    """All of them, block by block; empty where no method selects."""
    runs = results.frame.runs
    held = runs[runs["kept"].notna()].set_index("run_id")
    found = []
    for block in results.blocks:
        for cell in block.declared():
            rows = held[held.index.isin(cell.run_ids)]
            if len(rows):
                columns = {name: rows[name].to_numpy(np.float64) for name in KEPT}
                found.append(
                    Kept(block, cell, _numbers(columns), int((rows["kept_least"] == 0).sum()))
                )
    return tuple(found)


def _numbers(columns: Mapping[str, np.ndarray[Any, np.dtype[np.float64]]]) -> dict[str, Interval]:
    # Kept and right, as a share of all, is precision times kept, and recall times right.
    with np.errstate(divide="ignore", invalid="ignore"):
        right = columns["kept"] * columns["kept_precision"] / columns["kept_recall"]
    values = {**columns, "right": right}
    return {name: mean_interval(values[name][np.isfinite(values[name])]) for name in HEADS}


def tables(results: Results, found: Found) -> dict[str, str]:
    """kept.csv."""
    del results
    return {f"{FILE}.csv": csv([_record(one) for one in found], COLUMNS)}


def pages(results: Results, found: Found) -> dict[str, str]:
    """kept.md."""
    texts = [f"# {escape(results.study.title)}: what methods selected"]
    for block in results.blocks:
        lines = [_line(one) for one in found if one.block is block]
        if lines:
            heads = ["noise", "method", "n", *HEADS.values(), "seeds without a class"]
            texts += [f"## {escape(block.title)}", table(heads, lines, left=2), f"*{NOTE}*"]
    return {f"{FILE}.md": "\n\n".join(texts) + "\n"}


def section(results: Results, found: Found, block: Block | None) -> Sequence[str]:
    """Which methods lost a class, and where the table is."""
    del results
    here = [one for one in found if one.block is block]
    if not here:
        return []
    lost = list(_lost(here)) or ["Of every class some samples were kept at the last epoch."]
    return parts.section("What methods selected", f"{FILE}.md", lost, level=3)


def warnings(results: Results, found: Found) -> Sequence[str]:
    """Methods that kept no sample of some class."""
    del results
    return list(_lost(found))


def _lost(found: Sequence[Kept]) -> Iterator[str]:
    """A line for each method, with its conditions."""
    where: dict[str, list[str]] = {}
    for one in found:
        if one.without:
            words = f"{pretty_condition(one.cell.condition)} ({one.without} of {one.runs} runs)"
            where.setdefault(one.cell.method, []).append(words)
    for method, conditions in where.items():
        yield f"{method} kept no sample of some class at the last epoch: {listing(conditions)}"


def _line(one: Kept) -> list[str]:
    found = [parts.spread(n.mean, n.sd) for n in one.numbers.values()]
    names = [pretty_condition(one.cell.condition), one.cell.method]
    return [*map(escape, names), str(one.runs), *found, str(one.without)]


def _record(one: Kept) -> dict[str, Any]:
    numbers = {
        f"{name}_{end}": rounded(value)
        for name, found in one.numbers.items()
        for end, value in (("mean", found.mean), ("sd", found.sd))
    }
    return {
        **place(one.block),
        "condition": one.cell.condition,
        "method": one.cell.method,
        "n": one.runs,
        "expected_n": one.cell.expected,
        **numbers,
        "seeds_without_a_class": one.without,
    }


TOPIC = Topic(
    name="kept",
    find=find,
    tables=tables,
    pages=pages,
    files=((f"{FILE}.md", "what methods selected that leave samples out"),),
    section=section,
    warnings=warnings,
)
