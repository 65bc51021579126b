"""The heat map of differences to the baseline."""

from __future__ import annotations

import numpy as np
import pytest

from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.figures.differences import FEWEST, differences_figure
from nlbench.reports.read.study import Study
from tests.helpers.studies import record

METHODS = ("ce", "gce", "sce", "mae", "elr", "sop", "selc", "cdr")
NOISE = ("clean", "symmetric:0.4")


def results(methods: tuple[str, ...]) -> Results:
    """Method k is 2 k points above CE on clean labels and k points above on noisy ones."""
    specs, records = [], []
    for line, step in zip(NOISE, (2.0, 1.0), strict=True):
        for seed in range(3):
            for k, method in enumerate(methods):
                spec = RunSpec(
                    dataset=DatasetSpec("digits"),
                    model="mlp",
                    method=MethodSpec.of(method, {}),
                    noise=line,
                    seed=seed,
                    recipe=Recipe(epochs=2, batch_size=32, lr=0.05),
                )
                specs.append(spec)
                records.append(record(spec, 60 + seed + step * k))
    study = Study(
        name="many",
        title="Many",
        description="",
        baseline="ce",
        specs=tuple(specs),
        sha256="0" * 64,
    )
    return analyse(study, records)


def test_rows_are_methods_sorted_by_their_mean_difference() -> None:
    found = results(METHODS)
    figure = differences_figure(found, found.blocks[0])
    assert figure is not None
    axes = figure.axes[0]
    values = np.asarray(axes.collections[0].get_array()).reshape(len(METHODS) - 1, 3)
    k = np.arange(len(METHODS) - 1, 0, -1)
    np.testing.assert_allclose(values, np.stack([2.0 * k, 1.0 * k, 1.5 * k], axis=1))
    assert [label.get_text() for label in axes.get_xticklabels()][-1] == "mean"
    low, high = axes.collections[0].get_clim()
    assert low == -high == pytest.approx(-2.0 * k[0])


def test_few_methods_have_no_heat_map() -> None:
    found = results(METHODS[: FEWEST - 1])
    assert differences_figure(found, found.blocks[0]) is None
