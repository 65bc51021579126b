"""The extra output as figures: of clean against flipped samples, ROC, AUROC by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nlbench.benchmark.store import names
from nlbench.benchmark.store.record import CURVES
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.dots import Dot, dots_figure
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.figures.intervals import QUARTERS, Band, band, curve_panel
from nlbench.reports.figures.style import Frame, align, few_ticks, legend, panels
from nlbench.reports.read.cells import Block, Condition
from nlbench.reports.read.names import pretty_condition
from nlbench.reports.render.caption import sample, setting, shown_words
from nlbench.reports.topics.detection.compare import LOSS, MASS, Found
from nlbench.reports.topics.detection.find import CRITERIA, Detection
from nlbench.reports.topics.detection.gallery import gallery_figures

FRAME = Frame(panel=(2.1, 1.6), left=0.78, across=0.16, down=0.22)
HISTOGRAM = Frame(panel=(2.1, 1.3), left=1.05, across=0.16, down=0.22)
WIDE = 5  # panels
MOST_LINES, MOST_NODES, MOST_DOTS = 8, 4, 60
SHARES = np.linspace(0, 100, 101)
EPOCHS = (("detect_loss", LOSS), (names.CURVE_AUROC, MASS))


def figures(results: Results, found: Found, block: Block | None) -> Iterator[Planned]:
    """The figures of a block, as far as there are runs."""
    for detection, _ in found.blocks:
        if detection.block is block:
            yield from _of_block(results, detection)
            yield from gallery_figures(results, detection)


def _of_block(results: Results, detection: Detection) -> Iterator[Planned]:
    where = setting(results, detection.block)
    n = sample([c for c in detection.cells.values() if c.summary.n], "seed")
    conditions = list(detection.conditions[:WIDE])
    few = detection.methods[:MOST_LINES]
    kept = shown_words(WIDE, len(detection.conditions), len(few), len(detection.methods))
    few_conditions = shown_words(WIDE, len(detection.conditions), 0, 0)
    histograms = _histograms(detection, conditions)
    if histograms is not None:
        nodes = len(detection.nodes) - MOST_NODES
        yield Planned(
            "drainage-mass",
            f"Probability of the extra output for rightly labelled (grey area) and flipped training"
            f" samples (black line) after the last epoch on {where}: share of either kind in 50"
            f" bins, logarithmic, {n} taken together; dotted lines: the means of the bins."
            + (f" The first {MOST_NODES} methods of {len(detection.nodes)}." if nodes > 0 else "")
            + few_conditions,
            histograms,
        )
    rocs = _rocs(detection, conditions, few)
    if rocs is not None:
        yield Planned(
            "detection-roc",
            f"Flipped labels found against clean ones flagged on {where}, a row per criterion: mean"
            f" ROC curve and pointwise 95 % Student interval over {n}; dotted: chance.{kept}",
            rocs,
        )
    epochs = _epochs(results, detection, conditions, few)
    if epochs is not None:
        yield Planned(
            "detection-epochs",
            "When it happens: AUROC of small loss and of the extra output as detectors of flipped"
            f" labels, epoch by epoch, on {where}; every sample with the loss and the output it had"
            " just before the step that used it. Mean and pointwise 95 % Student interval over"
            f" {n}; dotted: chance.{kept}",
            epochs,
        )
    dots = _dots(detection)
    if dots is not None:
        yield Planned(
            "detection-auroc",
            f"AUROC of every method and criterion as detector of flipped labels on {where}: mean"
            f" with 95 % Student interval over {n}, grey dots are single runs; filled markers are"
            f" the criteria that are compared; the dashed line is chance.{few_conditions}",
            dots,
        )


def _histograms(detection: Detection, conditions: Sequence[Condition]) -> Figure | None:
    nodes = [
        m for m in detection.nodes if any((m, c.line) in detection.histograms for c in conditions)
    ][:MOST_NODES]
    shown = [c for c in conditions if any((m, c.line) in detection.histograms for m in nodes)]
    if not nodes or not shown:
        return None
    figure, grid = panels(len(nodes), len(shown), HISTOGRAM, 1)
    for row, method in enumerate(nodes):
        for column, condition in enumerate(shown):
            axes = grid[row][column]
            counts = detection.histograms.get((method, condition.line))
            if counts is not None:
                _histogram(axes, np.asarray(counts, dtype=np.float64))
            axes.set_yscale("log")
            axes.set_xlim(0, 1)
            axes.set_ylim(2e-5, 1.5)
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            axes.set_yticks([1e-4, 1e-2, 1], ["0.0001", "0.01", "1"])
            axes.minorticks_off()
            if row == 0:
                axes.set_title(pretty_condition(condition.line).replace(" (", "\n("))
            axes.set_ylabel(f"{method}\nshare of samples" if column == 0 else "")
            axes.tick_params(labelbottom=row + 1 == len(nodes), labelleft=column == 0)
            if row + 1 == len(nodes):
                axes.set_xlabel("extra output")
    handles, names = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="upper center", ncols=2, borderaxespad=0.1)
    figure.align_ylabels()
    return figure


def _histogram(axes: Axes, counts: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    edges = np.linspace(0, 1, counts.shape[1] + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    clean, flipped = (row / max(row.sum(), 1.0) for row in counts)
    # A share of 0 has no logarithm: its bin is empty.
    axes.stairs(
        clean, edges, fill=True, color="#b5b5b5", baseline=1e-9, label="rightly labelled", zorder=2
    )
    axes.stairs(
        flipped, edges, color="#000000", linewidth=1.3, label="flipped", baseline=None, zorder=3
    )
    axes.axvline(float(clean @ middles), color="#777777", linestyle=":", linewidth=1.3)
    axes.axvline(float(flipped @ middles), color="#000000", linestyle=":", linewidth=1.3)


def _rocs(
    detection: Detection, conditions: Sequence[Condition], few: Sequence[str]
) -> Figure | None:
    criteria = [c for c in CRITERIA if any(c in detection.criteria[m] for m in few)]
    order = sorted(criteria, key=lambda c: c == MASS)

    def bands(criterion: str, condition: Condition) -> dict[str, Band]:
        there = [m for m in few if (m, condition.line) in detection.block.cells]
        found = {m: detection.rocs(m, condition.line, criterion) for m in there}
        return {m: band(SHARES, 100 * curves) for m, curves in found.items() if len(curves)}

    rows = {CRITERIA[c]: [bands(c, condition) for condition in conditions] for c in order}
    axes = ("clean flagged (%)", "flipped found (%)")
    return _grid(detection, conditions, few, rows, axes, chance=((0, 100), (0, 100)))


def _epochs(
    results: Results, detection: Detection, conditions: Sequence[Condition], few: Sequence[str]
) -> Figure | None:
    def bands(curve: str, condition: Condition) -> dict[str, Band]:
        found = {}
        for method in few:
            cell = detection.block.cells.get((method, condition.line))
            ids = () if cell is None else cell.run_ids
            runs = [
                c[CURVES.index(curve)]
                for i in ids
                if (c := results.frame.curves.get(i)) is not None
            ]
            if not runs:
                continue
            # A run that diverged has fewer epochs.
            table = np.full((len(runs), max(map(len, runs))), np.nan, dtype=np.float64)
            for at, run in enumerate(runs):
                table[at, : len(run)] = 100 * run.astype(np.float64)
            if not np.isnan(table).all():
                found[method] = band(np.arange(1, table.shape[1] + 1, dtype=np.float64), table)
        return found

    rows = {CRITERIA[c]: [bands(name, condition) for condition in conditions] for name, c in EPOCHS}
    last = max((b.x[-1] for row in rows.values() for p in row for b in p.values()), default=1.0)
    axes = ("epoch", "AUROC (%)")
    return _grid(detection, conditions, few, rows, axes, chance=((1, last), (50, 50)))


def _grid(
    detection: Detection,
    conditions: Sequence[Condition],
    few: Sequence[str],
    rows: dict[str, list[dict[str, Band]]],
    titles: tuple[str, str],
    chance: tuple[tuple[float, float], tuple[float, float]],
) -> Figure | None:
    """Rows of panels, a column per condition; rows and columns without a curve are left out."""
    rows = {name: row for name, row in rows.items() if any(row)}
    columns = [i for i in range(len(conditions)) if any(row[i] for row in rows.values())]
    if not rows or not columns:
        return None
    figure, grid = panels(len(rows), len(columns), FRAME, len(few))
    for at, (name, row) in enumerate(rows.items()):
        for place, column in enumerate(columns):
            axes = grid[at][place]
            curve_panel(axes, detection.methods, row[column])
            axes.plot(*chance, ":", color="#888888", linewidth=1, zorder=1)
            if at == 0:
                line = conditions[column].line
                axes.set_title(pretty_condition(line).replace(" (", "\n("))
            if place == 0:
                axes.set_ylabel(f"{name}\n{titles[1]}")
            if at + 1 == len(rows):
                axes.set_xlabel(titles[0])
            few_ticks(axes)
            if chance[0] == chance[1]:  # shares against shares
                axes.xaxis.set_major_locator(QUARTERS)
                axes.yaxis.set_major_locator(QUARTERS)
    align(grid, rows_apart=True)
    figure.align_ylabels()
    legend(figure, detection.methods, markers=False, only=few)
    return figure


def _dots(detection: Detection) -> Figure | None:
    shown = [(m, c) for m in detection.methods for c in detection.criteria[m]]
    if len(shown) > MOST_DOTS:
        return None
    names = {(m, c): f"{m} ({CRITERIA.get(c, c)})" for m, c in shown}
    columns = {}
    for condition in detection.conditions[:WIDE]:
        dots = [
            Dot.of(names[m, c], m, cell, c in (LOSS, MASS))
            for m, c in shown
            if (cell := detection.cell(m, condition.line, c)) is not None and cell.summary.n
        ]
        if dots:
            columns[pretty_condition(condition.line)] = dots
    return dots_figure(columns, list(names.values()), detection.methods, "AUROC (%)", line=50.0)
