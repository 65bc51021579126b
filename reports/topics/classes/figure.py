"""Accuracy against the number of classes, above chance, and against the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nlbench.reports.compare.results import Results
from nlbench.reports.figures.drawn import Planned
from nlbench.reports.figures.style import Frame, legend, looks, panels
from nlbench.reports.read.cells import Block
from nlbench.reports.stats import mean_interval
from nlbench.reports.topics.classes.compare import verdict_of
from nlbench.reports.topics.classes.find import ClassStudy
from nlbench.reports.topics.classes.page import caption, ceiling_words

FRAME = Frame(panel=(2.15, 2.0), left=0.62, across=0.62)
Series = list[tuple[float, float, float | None, float | None, bool]]


def figures(
    results: Results, found: Sequence[ClassStudy], block: Block | None
) -> Iterator[Planned]:
    """A figure per class study that has two numbers of classes or more."""
    for study in found if block is None else ():
        if len(study.points) < 2:
            continue
        suffix = f"-{study.number}" if study.number > 1 else ""
        words = (
            f"Left: test accuracy against the number of classes, chance dashed. Middle:"
            f" {ceiling_words(study)}. Right: paired difference to {study.baseline}, filled where"
            f" the report's {results.test.title} decides after Holm, hollow where it does not. Mean"
            " over seeds with 95 % Student intervals, cut at what an accuracy can be; a"
            " hollow marker left and in the middle is an incomplete cell."
            f" {caption(results, study)}"
        )
        yield Planned(f"classes{suffix}", words, classes_figure(results, study))


def classes_figure(results: Results, study: ClassStudy) -> Figure:
    """Three panels over the number of classes."""
    figure, ((accuracy, share, lead),) = panels(1, 3, FRAME, len(study.methods))
    numbers = [point.classes for point in study.points]
    step = min(0.12, 0.5 / len(study.methods))
    for i, method in enumerate(study.methods):
        offset = step * (i - (len(study.methods) - 1) / 2)
        _draw(accuracy, study, method, _accuracies(study, method), offset)
        _draw(share, study, method, _shares(study, method), offset)
        if method != study.baseline:
            _draw(lead, study, method, _leads(results, study, method), offset)
    accuracy.plot(numbers, [p.chance for p in study.points], linestyle=(0, (2, 2)),
                  color="#777777", linewidth=1.2, zorder=1)  # fmt: skip
    accuracy.set_ylabel("test accuracy (%)")
    share.set_ylabel("of the way from chance up")
    lead.set_ylabel(f"difference to {study.baseline} (points)")
    lead.axhline(0, color="#777777", linewidth=1.0, zorder=1)
    share.set_ylim(min(0.0, share.get_ylim()[0]), max(1.02, min(1.2, share.get_ylim()[1])))
    accuracy.set_ylim(0, 102)
    for axes in (accuracy, share, lead):
        axes.set_xticks(numbers)
        axes.set_xlabel("classes")
    legend(figure, study.methods)
    return figure


def _accuracies(study: ClassStudy, method: str) -> Series:
    found: Series = []
    for point in study.points:
        cell = point.cell(method)
        if cell is not None and cell.summary.mean is not None:
            s = cell.summary
            low = None if s.low is None else max(s.low, 0.0)
            high = None if s.high is None else min(s.high, 100.0)
            found.append((point.classes, cell.summary.mean, low, high, cell.complete))
    return found


def _shares(study: ClassStudy, method: str) -> Series:
    found: Series = []
    for point in study.points:
        values, cell = study.share(point, method), point.cell(method)
        s = mean_interval(values[np.isfinite(values)])
        if s.mean is not None and cell is not None:
            high = s.high if s.high is None or study.ceiling else min(s.high, 1.0)
            found.append((point.classes, s.mean, s.low, high, s.n == cell.expected))
    return found


def _leads(results: Results, study: ClassStudy, method: str) -> Series:
    found: Series = []
    for point in study.points:
        v = verdict_of(results, study, point, method)
        if v is not None and v.estimate is not None:
            found.append((point.classes, v.estimate, v.ci_low, v.ci_high, v.decided))
    return found


def _draw(axes: Axes, study: ClassStudy, method: str, series: Series, offset: float) -> None:
    look = looks(study.methods)[method]
    x = [at + offset for at, *_ in series]
    axes.plot(x, [value for _, value, *_ in series], color=look.colour, linestyle=look.line,
              linewidth=1.2, zorder=2)  # fmt: skip
    for place, (_, value, low, high, full) in zip(x, series, strict=True):
        if low is not None and high is not None:
            axes.errorbar([place], [value], [[value - low], [high - value]], fmt="none",
                          ecolor=look.colour, elinewidth=1.1, capsize=2.5, zorder=2)  # fmt: skip
        axes.plot([place], [value], look.marker, color=look.colour, zorder=3, markeredgewidth=1.0,
                  markerfacecolor=look.colour if full else "white")  # fmt: skip
