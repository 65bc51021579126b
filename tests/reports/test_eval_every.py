"""Reports of runs whose accuracies were taken after some epochs only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from nlbench.benchmark.store.record import CURVES
from nlbench.reports import build_report
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.figures.memorisation import bands, memorisation_figures
from nlbench.reports.read.names import method_labels
from nlbench.reports.speed.made_up_records import EPOCHS, declared, made_up

TAKEN = [6, 12, 18, 20]


@pytest.fixture(scope="module")
def results() -> Results:
    study = declared(24, ("ce", "gce"), ("clean", "symmetric:0.4"), eval_every=6)
    return analyse(study, made_up(study))


def test_curves_have_values_where_the_recipe_says(results: Results) -> None:
    for curves in results.frame.curves.values():
        tested = np.flatnonzero(~np.isnan(curves[CURVES.index("test_accuracy")])) + 1
        assert tested.tolist() == TAKEN
        assert not np.isnan(curves[CURVES.index("train_loss")]).any()
    assert set(results.frame.runs["oracle_epoch"]) <= set(TAKEN)


def test_the_memorisation_figure_joins_the_epochs_that_were_tested(results: Results) -> None:
    (block,) = results.blocks
    found = bands(results, block, block.conditions[1])["test_accuracy"]["ce"]
    figure = memorisation_figures(results, block)["memorisation"]
    axes, below = figure.axes[:2]
    ce, _ = _lines(axes)
    assert ce[:, 0].tolist() == TAKEN
    assert ce[:, 1] == pytest.approx(found.mean[np.array(TAKEN) - 1])
    assert [np.asarray(line.get_xdata()).tolist() for line in axes.lines] == [TAKEN, TAKEN]
    assert [len(line) for line in _lines(below)] == [EPOCHS, EPOCHS]
    assert not below.lines


def _lines(axes: Axes) -> list[NDArray[np.float64]]:
    """The curves of a panel, (points, 2); the grid is a collection below them."""
    (curves,) = (c for c in axes.collections if isinstance(c, LineCollection) and c.zorder == 2)
    return [np.asarray(line) for line in curves.get_segments()]


def test_pages_say_so_and_only_where_it_is_so(tmp_path: Path) -> None:
    some, whole = (_pages(every, tmp_path / str(every)) for every in (6, 1))
    said = "Test and validation accuracy were taken every 6 epochs and after the last."
    assert said in some["selection.md"]
    assert said in some["index.md"]
    assert "eval_every 6" in some["index.md"]
    assert "were taken" not in " ".join(whole.values())
    assert "eval_every" not in whole["index.md"]


def _pages(every: int, out: Path) -> Mapping[str, str]:
    study = declared(8, ("ce", "gce"), ("clean", "symmetric:0.4"), eval_every=every)
    build_report(study, made_up(study), out)
    return {p.name: p.read_text("utf-8") for p in out.glob("*.md")}


def test_a_label_names_the_default_where_it_is_left_unwritten() -> None:
    spec = declared(1, ("ce",), ("clean",)).specs[0]
    specs = [spec, replace(spec, recipe=replace(spec.recipe, eval_every=5))]
    assert method_labels(specs) == ["ce(recipe.eval_every=1)", "ce(recipe.eval_every=5)"]
