"""A grid of one hyper-parameter: what validation chooses, and the best that nobody can know."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlbench import reports
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.read.study import Study
from nlbench.reports.topics import one_parameter as topic
from tests.helpers.studies import record

LINE = "symmetric:0.4"
QS = (0.7, 0.3, 0.5)
# Setting x seed; declared in the order of QS, the first is the default.
TEST = np.array([[80.0, 81.0, 79.0], [70.0, 85.0, 75.0], [82.0, 60.0, 78.0]])
HELD = np.array([[0.50, 0.55, 0.60], [0.40, 0.60, 0.55], [0.60, 0.58, 0.50]])


def _spec(method: MethodSpec, seed: int, holdout: float = 0.1, **recipe: Any) -> RunSpec:
    data = DatasetSpec("digits", None, holdout)
    return RunSpec(data, "mlp", method, LINE, seed, Recipe(epochs=2, **recipe))


def _record(spec: RunSpec, test: float, held: float | None) -> RunRecord:
    made = record(spec, test)
    return replace(made, curves={**made.curves, "val_noisy": (0.1, held)})


def _results(records: list[RunRecord], specs: list[RunSpec] | None = None) -> Results:
    declared = tuple(specs or [r.spec for r in records])
    words: dict[str, Any] = {"title": "One number", "description": "", "sha256": "0" * 64}
    name = declared[0].method.name
    return analyse(Study(name="one", specs=declared, baseline=name, **words), records)


def _grid(holdout: float = 0.1) -> list[RunRecord]:
    methods = [MethodSpec.of("gce", {"q": q}) for q in QS]
    return [
        _record(_spec(m, seed, holdout), TEST[at, seed], HELD[at, seed] if holdout else None)
        for seed in range(3)
        for at, m in enumerate(methods)
    ]


def _rows(results: Results) -> list[dict[str, str]]:
    text = topic.tables(results, topic.find(results))["one-parameter.csv"]
    return list(csv.DictReader(io.StringIO(text)))


def test_the_two_last_rows_are_what_validation_chooses_and_the_best_on_test() -> None:
    rows = _rows(_results(_grid()))
    assert [row["role"] for row in rows] == [
        "default", "setting", "setting", topic.CHOSEN, topic.BEST,
    ]  # fmt: skip
    assert [float(row["value"]) for row in rows[:3]] == list(QS)
    chosen = TEST[HELD.argmax(axis=0), range(3)]
    assert float(rows[3]["mean"]) == pytest.approx(chosen.mean())
    assert float(rows[3]["noisy_validation_mean"]) == pytest.approx(100 * HELD.max(axis=0).mean())
    assert float(rows[4]["mean"]) == pytest.approx(TEST.max(axis=0).mean())
    assert float(rows[4]["sd"]) == pytest.approx(TEST.max(axis=0).std(ddof=1), abs=1e-6)


def test_the_page_has_both_rows_and_the_index_a_part(tmp_path: Path) -> None:
    results = _results(_grid())
    reports.build_report(results.study, _grid(), tmp_path, only="tables")
    page = (tmp_path / "one-parameter.md").read_text("utf-8")
    assert f"| {topic.CHOSEN} " in page
    assert f"| {topic.BEST} " in page
    assert "| 0.7 (default) " in page
    words = topic.section(results, topic.find(results), None)
    assert words[0] == "## One hyper-parameter"
    assert topic.section(results, topic.find(results), results.blocks[0]) == []


def test_without_held_out_labels_nothing_is_chosen() -> None:
    results = _results(_grid(holdout=0.0))
    assert [row["role"] for row in _rows(results)][3:] == [topic.BEST]
    assert (
        "no labels were held out" in topic.pages(results, topic.find(results))["one-parameter.md"]
    )


def test_a_missing_setting_leaves_its_seed_out() -> None:
    records = _grid()
    rows = _rows(_results(records[1:], [r.spec for r in records]))
    chosen = TEST[HELD.argmax(axis=0), range(3)][1:]
    assert (rows[3]["n"], rows[4]["n"]) == ("2", "2")
    assert float(rows[3]["mean"]) == pytest.approx(chosen.mean())


def test_a_learning_rate_is_a_parameter_too() -> None:
    ce = MethodSpec.of("ce", {})
    records = [
        _record(_spec(ce, seed, lr=lr), 80.0 + at, 0.5 + 0.1 * at)
        for seed in range(2)
        for at, lr in enumerate((0.01, 0.1))
    ]
    rows = _rows(_results(records))
    assert {row["parameter"] for row in rows} == {"recipe.lr"}
    assert float(rows[2]["mean"]) == pytest.approx(81.0)


def test_two_parameters_or_one_setting_are_no_grid() -> None:
    ce, gce = MethodSpec.of("ce", {}), [MethodSpec.of("gce", {"q": q}) for q in (0.3, 0.7)]
    pairs = [_spec(gce[0], 0, lr=0.1), _spec(gce[1], 0, lr=0.2), _spec(ce, 0)]
    assert topic.find(_results([_record(spec, 80.0, 0.5) for spec in pairs])) == []
