"""The toy: networks on points in the plane, as pictures, tables and a page.

Here and not in ``reports``, which draws but trains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nlbench import toy_page
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.store.results import check_unpublished
from nlbench.benchmark.toy import measure as toy_measure
from nlbench.benchmark.toy import train as toy
from nlbench.benchmark.toy.methods import Asked
from nlbench.benchmark.toy.train import Drawn, Setting
from nlbench.reports.figures.style import save, styled
from nlbench.reports.figures.toy import Panel, Points, toy_animation, toy_figure
from nlbench.toy_page import Result

FINE, COARSE = 301, 121  # points along each side of the figure's and of the animation's grid


def make_toy(
    setting: Setting, methods: Sequence[Asked], out: Path, command: str, still: bool = False
) -> str:
    """Train every method on the same points and write pictures, tables and a page.

    Args:
        setting: points, noise, seeds, epochs.
        methods: the first is the one that others are compared with.
        out: folder, made if it is not there.
        command: what makes the same files, for the page.
        still: no animation.

    Returns:
        The table of the page.

    Raises:
        UserError: the folder cannot be written, or is that of a published study.
    """
    check_unpublished(out)
    drawn = [toy.draw(setting, seed) for seed in setting.seeds]
    results = [_result(each, setting, drawn) for each in methods]
    try:
        out.mkdir(parents=True, exist_ok=True)
        _pictures(setting, drawn[0], results, out, still)
        return toy_page.write(setting, drawn, results, command, out, still)
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written ({error.strerror})") from error


def _result(asked: Asked, setting: Setting, drawn: Sequence[Drawn]) -> Result:
    """Train one method and measure it: all seeds at the end, the first at every recorded epoch."""
    trained = toy.train(asked.method, setting, drawn)
    frames = range(len(trained.epochs))
    return Result(
        text=asked.text,
        title=asked.title,
        trained=trained,
        runs=tuple(toy_measure.measure(trained, drawn)),
        curve=tuple(toy_measure.measure(trained, drawn[:1], frame)[0] for frame in frames),
    )


def _pictures(
    setting: Setting, first: Drawn, results: Sequence[Result], out: Path, still: bool
) -> None:
    epochs = results[0].trained.epochs
    above = f"{first.labels.flipped.sum()} of {len(first.points)} training labels are flipped"
    with styled():
        last = [
            _panel(each, setting, FINE, [len(epochs) - 1], len(results[0].runs)) for each in results
        ]
        title = f"{above}; after {setting.epochs} epochs"
        save(toy_figure(_points(setting, first, FINE), last, title), out, "toy")
        if still:
            return
        moving = [_panel(each, setting, COARSE, range(len(epochs)), 1) for each in results]
        titles = [f"{above}; epoch {epoch} of {setting.epochs}" for epoch in epochs]
        points = _points(setting, first, COARSE)
        toy_animation(points, moving, titles, out / "toy.gif")


def _points(setting: Setting, first: Drawn, size: int) -> Points:
    geometry = setting.geometry
    return Points(
        where=first.points,
        given=first.labels.noisy,
        flipped=first.labels.flipped,
        num_classes=setting.num_classes,
        reach=geometry.reach,
        best=geometry.bayes(toy_measure.grid(geometry.reach, size)),
    )


def _panel(result: Result, setting: Setting, size: int, frames: Sequence[int], seeds: int) -> Panel:
    grid = toy_measure.grid(setting.geometry.reach, size)
    seen = toy_measure.fields(result.trained, frames, 0, grid)
    notes = tuple(toy_page.note(result, frame, seeds) for frame in frames)
    return Panel(result.title, seen.classes, seen.extra, notes)
