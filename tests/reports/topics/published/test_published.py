"""Published numbers beside ours: which belong together, and what is said of them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.suites import suite
from nlbench.reports import Results, Study, analyse, build_report
from nlbench.reports.topics.published.match import NOISE, SETTINGS, matches, plain
from nlbench.reports.topics.published.numbers import numbers
from nlbench.reports.topics.published.page import published_csv, published_markdown
from nlbench.reports.topics.published.reasons import REASONS, reasons
from tests.helpers.studies import record


def study_of(name: str, profile: str | None = None) -> Study:
    found = suite.load(name, profile)
    return Study(
        name=name,
        title=found.title,
        description=found.description,
        specs=found.specs,
        sha256=found.sha256,
        baseline=found.baseline,
    )


def percent(spec: RunSpec) -> float:
    """Made up: seeds 0 to 4 give 60, 60.5, ... 62."""
    return 60 + spec.seed / 2


def results_of(study: Study, rule: str = "last", seeds: int = 5) -> Results:
    records: list[RunRecord] = [record(s, percent(s)) for s in study.specs if s.seed < seeds]
    return analyse(study, records, rule)


@pytest.fixture(scope="module")
def jpeg() -> Results:
    return results_of(study_of("cifar10-jpeg"))


def test_the_table_is_read_whole() -> None:
    assert len(numbers()) == 504
    assert {n.model for n in numbers()} == {s.model for s in SETTINGS.values()}
    assert all(0 < n.mean <= 100 and 0 <= n.rate < 1 and n.source for n in numbers())
    assert sum(n.second_hand for n in numbers()) > 100
    kinds = {n.noise_type for n in numbers()}
    assert kinds <= set(NOISE.values())


def test_numbers_known_from_the_papers_stand_beside_ours(jpeg: Results) -> None:
    """eps-softmax, Table 2: CE 58.46 at symmetric 0.4; a text about Drainage: 82.23 at 0.45."""
    found = {
        (m.condition.line, m.spec.method.name, m.number.mean): m.difference for m in matches(jpeg)
    }
    assert found["symmetric:0.4", "ce", 58.46] == pytest.approx(61 - 58.46)
    assert found["symmetric:0.8", "gce", 25.82] == pytest.approx(61 - 25.82)
    assert found["asymmetric:0.45", "drainage", 82.23] == pytest.approx(61 - 82.23)
    assert found["human:worse", "ce", 61.96] == pytest.approx(61 - 61.96)
    assert found["clean", "ce", 90.5] == pytest.approx(61 - 90.5)
    assert not any(method == "drainage" and line.startswith("symm") for line, method, _ in found)


def test_every_match_agrees_in_all_that_makes_the_setting(jpeg: Results) -> None:
    found = matches(jpeg)
    assert len(found) > 30
    for match in found:
        assert match.spec.profile == "official"
        assert plain(match.number.method) == plain(match.spec.method.name)
        assert match.number.dataset in ("CIFAR-10", "CIFAR-10N")
        assert (match.number.dataset == "CIFAR-10N") == match.spec.noise.startswith("human")
        assert match.number.model == "CNN-8"
        assert not match.number.metric.startswith("best")
        if not match.spec.noise.startswith("human"):
            assert match.condition.nominal == pytest.approx(match.number.rate)


def test_best_epochs_are_compared_with_best_epochs_only() -> None:
    found = matches(results_of(study_of("cifar10-jpeg"), "oracle"))
    assert {m.number.metric for m in found} == {"best"}
    assert {m.number.mean for m in found if m.spec.noise == "symmetric:0.4"} == {72.77}


@pytest.mark.parametrize(
    "change",
    [
        {"profile": "matched"},
        {"dataset": {"train_per_class": 100}},
        {"dataset": {"holdout": 0.1}},
        {"recipe": {"epochs": 60}},
        {"model": "resnet18"},
    ],
)
def test_another_setting_has_no_published_number(change: dict[str, Any]) -> None:
    study = study_of("cifar10")
    specs = []
    for spec in study.specs:
        parts: dict[str, Any] = {
            key: replace(getattr(spec, key), **value) if isinstance(value, dict) else value
            for key, value in change.items()
        }
        specs.append(replace(spec, **parts))
    assert matches(results_of(study))
    assert matches(results_of(replace(study, specs=tuple(specs)))) == ()


def test_asymmetric_noise_of_cifar100_is_that_of_blocks() -> None:
    study = study_of("cifar100")
    assert any("block5" in m.spec.noise for m in matches(results_of(study)))
    other = tuple(replace(s, noise=s.noise.replace("block5", "superclass")) for s in study.specs)
    kinds = {m.number.noise_type for m in matches(results_of(replace(study, specs=other)))}
    assert "asymmetric" not in kinds
    assert "symmetric" in kinds


def test_a_method_with_several_settings_is_not_the_published_one() -> None:
    study = study_of("cifar10")
    twice = [
        replace(s, method=replace(s.method, params=(("q", 0.3),)))
        for s in study.specs
        if s.method.name == "gce"
    ]
    found = matches(results_of(replace(study, specs=(*study.specs, *twice))))
    assert {m.spec.method.name for m in found} == {"ce", "drainage"}


def test_every_row_has_a_reason_and_every_reason_a_row(jpeg: Results) -> None:
    found = matches(jpeg)
    assert all(reasons(match) for match in found)
    plain_noise = {"instance:0.4:bias=legacy:scale=unit": "instance:0.4"}
    study = study_of("cifar10-jpeg")
    specs = tuple(replace(s, noise=plain_noise.get(s.noise, s.noise)) for s in study.specs)
    more = matches(results_of(replace(study, specs=specs), seeds=3))
    every = [replace(s, recipe=replace(s.recipe, eval_every=5)) for s in study.specs]
    best = matches(results_of(replace(study, specs=tuple(every)), "oracle"))
    given = {word for match in (*found, *more, *best) for word in reasons(match)}
    assert given == {reason.words for reason in REASONS}


@pytest.mark.parametrize(
    ("suite_name", "line", "method", "said"),
    [
        ("cifar10-jpeg", "asymmetric:0.4", "ce", "18.3 %"),
        ("cifar10-jpeg", "clean", "ce", "JPEG copy"),
        ("cifar10-jpeg", "asymmetric:0.45", "drainage", "second-hand"),
        ("cifar10-jpeg", "human:worse", "ce", "single run"),
    ],
)
def test_reasons_are_those_of_the_row(suite_name: str, line: str, method: str, said: str) -> None:
    found = [
        m
        for m in matches(results_of(study_of(suite_name)))
        if (m.spec.noise, m.spec.method.name) == (line, method)
    ]
    assert any(said in " ".join(reasons(match)) for match in found)
    assert not any("JPEG" in " ".join(reasons(m)) for m in matches(results_of(study_of("cifar10"))))


def test_unfinished_cells_are_shown_as_such() -> None:
    study = study_of("cifar10-jpeg")
    results = results_of(study, seeds=2)
    text = published_markdown(results, matches(results))
    assert "2 of 5" in text
    assert "our seeds are not complete yet" in text
    only = [record(s, 60.0) for s in study.specs if s.noise == "clean"]
    results = analyse(study, only)
    table = pd.read_csv(io.StringIO(published_csv(results, matches(results))))
    assert table.loc[table["condition"] != "clean", "difference"].isna().all()
    assert (table.loc[table["condition"] == "clean", "ours_mean"] == 60).all()


def test_the_report_writes_both_files_and_only_where_there_is_something(tmp_path: Path) -> None:
    study = study_of("cifar10-jpeg")
    built = build_report(
        study, [record(s, percent(s)) for s in study.specs if s.seed < 5], tmp_path, only="tables"
    )
    assert "published.md" in {path.name for path in built.files}
    assert "published.csv" not in {path.name for path in built.files}
    assert (tmp_path / "published.md").read_text("utf-8").count("58.46") == 1
    study = study_of("quick")
    built = build_report(
        study, [record(s, percent(s)) for s in study.specs], tmp_path, only="tables"
    )
    assert "published.md" not in {path.name for path in built.files}
