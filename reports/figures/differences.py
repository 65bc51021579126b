"""Differences to the baseline as a heat map, for studies of many methods."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition

FEWEST = 8  # methods; fewer are read from the table and the figure of paired differences
CELL = (0.95, 0.24)  # inches


def differences_figure(results: Results, block: Block) -> Figure | None:
    """A row per method, a column per condition: the mean paired difference to the baseline.

    Rows are sorted by their mean, which is the last column; what is not compared is blank.

    Returns:
        The figure, ``None`` for fewer than :data:`FEWEST` methods or several baselines.
    """
    names = {results.method_names[method] for method in block.methods}
    if len(names) < FEWEST or len(results.baseline & set(block.methods)) != 1:
        return None
    table = _table(results, block)
    if table.empty:
        return None
    width, height = CELL
    figure = Figure(figsize=(2.4 + width * table.shape[1], 1.1 + height * table.shape[0]))
    axes = figure.subplots()
    bound = float(table.abs().max().max()) or 1.0
    sns.heatmap(
        table,
        ax=axes,
        vmin=-bound,
        vmax=bound,
        cmap="vlag_r",  # blue is better, and both ends differ for every kind of colour vision
        annot=True,
        fmt="+.1f",
        annot_kws={"size": 7},
        linewidths=0.4,
        cbar_kws={"label": "points of test accuracy"},
    )
    axes.set(xlabel="", ylabel="")
    axes.tick_params(length=0)
    axes.tick_params(axis="x", rotation=20)
    axes.tick_params(axis="y", rotation=0)
    figure.tight_layout()
    return figure


def _table(results: Results, block: Block) -> pd.DataFrame:
    """Estimates by method and condition, and their mean where none is missing."""
    found = {
        (verdict.a, pretty_condition(verdict.condition)): verdict.estimate
        for verdict in results.in_block(block)
        if verdict.b in results.baseline and verdict.estimate is not None
    }
    table = pd.Series(found, dtype="float64").unstack() if found else pd.DataFrame()
    there = [pretty_condition(c.line) for c in block.conditions]
    table = table.reindex(columns=[name for name in there if name in table.columns])
    if table.shape[1] > 1:
        table["mean"] = table.mean(axis=1, skipna=False)
        table = table.sort_values("mean", ascending=False, kind="stable")
    return table
