"""What a published study found of every method, for the page of methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nlbench.reports.compare.comparison import BETTER, WORSE
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.text import number

SIGNS = {BETTER: "+", WORSE: "−"}


@dataclass(frozen=True)
class Numbers:
    """Accuracies of a study's methods.

    Attributes:
        folder: its folder, relative to the root of the project.
        baseline: name of the method that the others are compared with.
        conditions: as a table calls them, in the study's order.
        seeds: how many each mean is over.
        cells: of every method, by name: its accuracy in each condition, percent, with a sign where
            it is declared better or worse than the baseline there.
    """

    folder: str
    baseline: str
    conditions: tuple[str, ...]
    seeds: int
    cells: Mapping[str, tuple[str, ...]]

    def rows(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """Lines of these methods that the study has, the baseline's first."""
        shown = [self.baseline, *(name for name in names if name != self.baseline)]
        return [(f"`{name}`", *self.cells[name]) for name in shown if name in self.cells]


def read(root: Path, name: str) -> Numbers | None:
    """The numbers of the published study of this name under ``root``, if there is one."""
    from nlbench.benchmark import published

    folder = published.folder_of(root / "results", name)
    if not published.is_study(folder):
        return None
    suite = published.read(folder).suite
    board = pd.read_csv(folder / "leaderboard.csv")
    board = board[board["scope"] == "condition"]
    verdicts = pd.read_csv(folder / "significance.csv")
    declared = verdicts[verdicts["role"] == "declared"]
    words = {(row["a"], row["condition"]): str(row["words"]) for row in declared.to_dict("records")}
    conditions = list(dict.fromkeys(board["condition"]))
    cells: dict[str, tuple[str, ...]] = {}
    for key, rows in board.groupby("method_name", sort=False):
        found = rows.set_index("condition")
        cells[str(key)] = tuple(
            _cell(found["mean"].get(line), words.get((found["method"].iloc[0], line)))
            for line in conditions
        )
    return Numbers(
        folder=f"results/published/{name}",
        baseline=suite.baseline,
        conditions=tuple(pretty_condition(line) for line in conditions),
        seeds=int(board["expected_n"].max()),
        cells=cells,
    )


def _cell(mean: float | None, word: str | None) -> str:
    sign = SIGNS.get(word or "", "")
    return f"{number(None if mean is None or pd.isna(mean) else float(mean))} {sign}".strip()
