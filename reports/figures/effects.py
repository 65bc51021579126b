"""Effects: paired differences to the baseline, seeds and interval, condition by condition."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nlbench.reports.compare.comparison import Comparison
from nlbench.reports.compare.pairing import match
from nlbench.reports.compare.results import Results
from nlbench.reports.figures.style import Frame, legend, looks, panels
from nlbench.reports.read.cells import Block
from nlbench.reports.read.names import pretty_condition

ROW = 0.19  # inches per comparison
MOST = 60


def effects_figure(results: Results, block: Block) -> Figure | None:
    """Forest plot: mean paired difference to the baseline with its 95 % Student interval.

    Small grey dots are the seeds. A filled marker is a difference that the test decides
    after Holm, a hollow one is undecided; what is not comparable is left out. The band is the
    study's region of practical equivalence.

    Returns:
        The figure, ``None`` without comparisons or with more than fit a page.
    """
    shown = [
        v
        for v in results.in_block(block)
        if v.b in results.baseline and v.comparable and v.estimate is not None
    ]
    if not shown or len(shown) > MOST:
        return None
    lines = [c.line for c in block.conditions if any(v.condition == c.line for v in shown)]
    height = ROW * (len(shown) + 0.6 * len(lines)) + 0.1
    methods = [m for m in block.methods if any(v.a == m for v in shown)]
    frame = Frame(panel=(4.2, height), left=1.75, top=0.12)
    figure, grid = panels(1, 1, frame, len(methods))
    axes = grid[0][0]
    rope = results.study.rope
    axes.axvspan(-rope, rope, color="#eeeeee", zorder=0)
    axes.axvline(0, color="#444444", linewidth=0.8, zorder=1)
    ticks, at = [], 0.0
    for line in lines:
        there = [v for m in methods for v in shown if v.condition == line and v.a == m]
        ticks.append((at + (len(there) - 1) / 2, pretty_condition(line)))
        for verdict in there:
            _row(axes, block, verdict, at)
            at += 1
        at += 0.6
    axes.set_yticks([y for y, _ in ticks], [name for _, name in ticks])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(at, -1)
    axes.set_xlabel(f"difference to {shown[0].b} (points of test accuracy)")
    legend(figure, block.methods, only=methods)
    return figure


def _row(axes: Axes, block: Block, verdict: Comparison, at: float) -> None:
    look = looks(block.methods)[verdict.a]
    a = block.cells[verdict.a, verdict.condition]
    pairing = match(a, block.cells[verdict.b, verdict.condition])
    seeds = pairing.a - pairing.b
    axes.plot(seeds, [at + 0.28] * len(seeds), ".", color="#999999", markersize=3, zorder=2)
    if verdict.ci_low is not None and verdict.ci_high is not None:
        ends = [verdict.ci_low, verdict.ci_high]
        axes.plot(ends, [at, at], color=look.colour, linewidth=1.3, zorder=3)
    face = look.colour if verdict.decided else "white"
    axes.plot(
        [verdict.estimate or 0.0],
        [at],
        look.marker,
        color=look.colour,
        markerfacecolor=face,
        markersize=5,
        zorder=4,
    )
