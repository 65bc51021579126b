"""The toy picture from plain arrays: colours where the classes are, hatching where it drains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from PIL import Image

from nlbench.reports.figures.style import save, styled
from nlbench.reports.figures.toy import COLOURS, TINT, Panel, Points, toy_animation, toy_figure

SIZE, REACH = 41, 2.0
AXIS = np.linspace(-REACH, REACH, SIZE)


def points() -> Points:
    return Points(
        where=np.array([[-1.0, -1.5], [1.0, 1.5]]),
        given=np.array([0, 1]),
        flipped=np.array([False, True]),
        num_classes=2,
        reach=REACH,
        best=np.tile((AXIS > 0).astype(np.int64), (SIZE, 1)),
    )


def panel(title: str, extra_above: float | None) -> Panel:
    """Class 1 right of x = 0 in the first frame and right of 1 in the second."""
    x, y = np.meshgrid(AXIS, AXIS)
    frames = [np.stack([-(x - edge), x - edge]) for edge in (0.02, 1.02)]
    extra = None
    if extra_above is not None:
        extra = np.stack([y - extra_above, y - 9.0]).astype(np.float32)
    return Panel(title, np.stack(frames).astype(np.float32), extra, ("first", "second"))


def drawn(figure: Figure, at: int, x: float, y: float) -> tuple[float, ...]:
    """The colour on the canvas at a place of a panel."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    column, row = figure.axes[at].transData.transform((x, y))
    return tuple(pixels[int(len(pixels) - row), int(column), :3] / 255)


def tint(k: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return 1 - TINT + TINT * np.array(to_rgb(COLOURS[k]))


def test_regions_have_their_class_s_tint_at_the_last_frame() -> None:
    with styled():
        figure = toy_figure(points(), [panel("plain", None)], "title")
        assert drawn(figure, 0, -1.5, 0.5) == pytest.approx(tint(0), abs=0.01)
        assert drawn(figure, 0, 0.6, -0.5) == pytest.approx(tint(0), abs=0.01)
        assert drawn(figure, 0, 1.5, 0.5) == pytest.approx(tint(1), abs=0.01)


def _hatched(figure: Figure, at: int) -> list[QuadContourSet]:
    found = figure.axes[at].findobj(QuadContourSet)
    return [s for s in found if isinstance(s, QuadContourSet) and s.filled]


def test_hatching_is_where_the_drainage_output_wins() -> None:
    first = panel("drains", 0.5)
    one = Panel(
        first.title, first.classes[:1], first.extra[:1] if first.extra is not None else None, ("a",)
    )
    with styled():
        figure = toy_figure(points(), [panel("plain", None), one, first], "title")
    assert _hatched(figure, 0) == []  # no drainage output
    assert _hatched(figure, 2) == []  # it wins nowhere at the last frame
    (region,) = _hatched(figure, 1)
    (path,) = region.get_paths()
    assert path.contains_point((0.0, 1.0))
    assert not path.contains_point((0.0, 0.0))
    assert path.get_extents().y0 == pytest.approx(0.5, abs=1e-6)


def test_flipped_points_differ_without_colour() -> None:
    with styled():
        figure = toy_figure(points(), [panel("plain", None)], "title")
    found: list[PathCollection] = [
        c for c in figure.axes[0].collections if isinstance(c, PathCollection)
    ]
    marks = {tuple(np.asarray(c.get_offsets())[0]): c for c in found if np.size(c.get_offsets())}
    clean, flipped = marks[(-1.0, -1.5)], marks[(1.0, 1.5)]
    rims = [np.asarray(c.get_edgecolor())[0, :3].tolist() for c in (clean, flipped)]
    assert rims == [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    assert clean.get_sizes()[0] < flipped.get_sizes()[0]


def test_figure_and_animation_are_the_same_twice(tmp_path: Path) -> None:
    panels = [panel("plain", None), panel("drains", 0.5)]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with styled():
            save(toy_figure(points(), panels, "title"), tmp_path / name, "toy")
            toy_animation(points(), panels, ["0", "1"], tmp_path / name / "toy.gif")
    for name in ("toy.png", "toy.pdf", "toy.gif"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_animation_moves_and_rests_at_its_end(tmp_path: Path) -> None:
    with styled():
        toy_animation(points(), [panel("plain", None)], ["0", "1"], tmp_path / "toy.gif")
    with Image.open(tmp_path / "toy.gif") as film:
        times, frames = [], []
        for at in range(getattr(film, "n_frames", 1)):
            film.seek(at)
            times.append(film.info["duration"])
            frames.append(np.asarray(film.convert("RGB")).copy())
        assert film.info["loop"] == 0
    assert len(frames) == 2
    assert times == [200, 1400]
    assert (frames[0] != frames[1]).any()
