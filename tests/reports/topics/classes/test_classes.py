"""The number of classes: found only where it varies alone, measured against SciPy."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from nlbench import reports
from nlbench.benchmark.spec.canonical_json import sha256_of
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.spec.run_spec import DatasetSpec, MethodSpec, RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.read.study import Study
from nlbench.reports.topics import classes
from nlbench.reports.topics.classes.compare import slope, trends
from nlbench.reports.topics.classes.find import class_studies
from nlbench.reports.topics.registry import Topics
from tests.helpers.studies import record

CLASSES, SEEDS, METHODS = (2, 4, 10), 3, ("ce", "gce")
DRAWS = np.random.Generator(np.random.Philox(key=5))
# (classes, method, seed): gce leads by one point more with every class.
TEST = 70 + DRAWS.normal(size=(len(CLASSES), len(METHODS), SEEDS))
TEST[:, 1] += np.array(CLASSES)[:, None]
CLEAN = 95.0


def _made(
    unknown: Sequence[str | None], lines: Sequence[str] = ("symmetric:0.4",)
) -> tuple[Study, list[RunRecord]]:
    specs, records = [], []
    for place, name in enumerate(unknown):
        for line in lines:
            for seed in range(SEEDS):
                for at, method in enumerate(METHODS):
                    data = DatasetSpec("digits", 10 * (place + 1), 0.0, name).settled(seed)
                    spec = RunSpec(
                        data, "mlp", MethodSpec.of(method, {}), line, seed, Recipe(epochs=2)
                    )
                    value = CLEAN + seed if line == "clean" else TEST[place, at, seed]
                    made = record(spec, float(value), data_label=f"Digits ({name})")
                    noise = {**made.noise, "num_classes": CLASSES[place]}
                    specs.append(spec)
                    records.append(replace(made, noise=noise))
    digest = sha256_of(sorted(s.run_id for s in specs))
    study = Study(
        name="k", title="Classes", description="", specs=tuple(specs), sha256=digest, baseline="ce"
    )
    return study, records


UNKNOWN = ("classes:8", "classes:6", None)


@pytest.fixture(name="results", scope="module")
def _results() -> Results:
    return analyse(*_made(UNKNOWN))


def _texts(results: Results) -> dict[str, str]:
    return Topics(results, (classes.TOPIC,)).texts(None)


def test_a_study_is_found_where_only_the_classes_vary(results: Results) -> None:
    (study,) = class_studies(results)
    assert [p.classes for p in study.points] == list(CLASSES)
    assert (study.baseline, study.methods, study.ceiling) == ("ce", METHODS, False)
    assert class_studies(analyse(*_made(("classes:8", None)))) == ()
    assert class_studies(analyse(*_made(("classes:8", "foreign:mnist", None)))) == ()
    # One number of classes in several sizes is a study of size, not of classes.
    assert class_studies(analyse(*_made((None, None, None)))) == ()


def test_the_share_is_zero_at_chance_and_one_at_the_ceiling(results: Results) -> None:
    (study,) = class_studies(results)
    point = study.points[1]
    assert study.share(point, "gce") == pytest.approx((TEST[1, 1] - 25) / 75)
    (clean,) = class_studies(analyse(*_made(UNKNOWN, ("symmetric:0.4", "clean"))))
    assert clean.ceiling
    top = CLEAN + np.arange(SEEDS)
    assert clean.share(clean.points[1], "gce") == pytest.approx((TEST[1, 1] - 25) / (top - 25))
    assert (
        "ce on clean labels, same seed"
        in _texts(analyse(*_made(UNKNOWN, ("symmetric:0.4", "clean"))))["classes.md"]
    )


def test_the_trend_is_a_t_test_of_slopes_over_seeds(results: Results) -> None:
    (study,) = class_studies(results)
    (trend,) = trends(study)
    leads = TEST[:, 1] - TEST[:, 0]
    slopes = [stats.linregress(CLASSES, leads[:, seed]).slope for seed in range(SEEDS)]
    assert slope(np.array(CLASSES, dtype=float), leads) == pytest.approx(slopes)
    assert trend.test is not None
    assert trend.test.p == pytest.approx(stats.ttest_1samp(slopes, 0).pvalue)
    assert trend.test.estimate == pytest.approx(np.mean(slopes))
    assert trend.family == 1


def test_missing_runs_are_said_and_not_tested() -> None:
    study, records = _made(UNKNOWN)
    results = analyse(study, records[:-1])
    (found,) = class_studies(results)
    (trend,) = trends(found)
    assert (trend.test, trend.reason) == (None, "incomplete with 10 classes")
    text = _texts(results)["classes.md"]
    assert "†2/3" in text
    assert "no trend tested (incomplete with 10 classes)" in text
    none = [r for r in records if r.spec.dataset.unknown is not None]
    (found,) = class_studies(analyse(study, none))
    assert [p.classes for p in found.points] == [2, 4]
    assert len(found.unknown) == 1
    assert "No record yet of: digits" in _texts(analyse(study, none))["classes.md"]


def test_the_report_writes_it_by_itself_and_twice_the_same(tmp_path: Path) -> None:
    study, records = _made(UNKNOWN)
    built = reports.build_report(study, records, tmp_path / "a")
    wanted = ("classes.md", "classes.csv", "classes-trend.csv", "figures/classes.png")
    assert {tmp_path / "a" / name for name in wanted} <= set(built.files)
    for name, content in _texts(analyse(study, records[::-1])).items():
        assert (tmp_path / "a" / name).read_text() == content
    index = (tmp_path / "a" / "index.md").read_text()
    assert "[classes.md](classes.md)" in index
    assert "figures/classes.png" in index
    text = (tmp_path / "a" / "classes.md").read_text()
    for word in ("2 epochs", "n = 3 seeds", "device cpu", study.sha256[:12], "Digits"):
        assert word in text
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a" / "classes.csv").read_text())))
    assert [float(r["mean"]) for r in rows] == pytest.approx(TEST.mean(axis=2).ravel(), abs=1e-5)
    assert [r["baseline"] for r in rows] == ["", "ce"] * 3
