"""Metrics from outside: in records with their source, and what is wrong with one in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nlbench.benchmark import metrics
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.metrics import outside
from nlbench.benchmark.runs import plan
from nlbench.benchmark.runs.part_sources import part_sources
from nlbench.benchmark.runs.progress import outcome_words
from nlbench.benchmark.runs.run import train
from nlbench.benchmark.store.problems import problems
from nlbench.benchmark.store.record import RunRecord
from nlbench.benchmark.submission.origins import sources
from nlbench.benchmark.submission.submitted import Submission
from nlbench.benchmark.suites import suite
from tests.helpers.runs import HERE, tiny

CPU = torch.device("cpu")
MODULE = "nlbench_metrics_for_test"
METRICS = """
import sys
from dataclasses import replace
import numpy as np
from nlbench.benchmark.metrics import Metric

LOSS = Metric(name="loss", title="mean loss", unit="nats", higher_is_better=False,
              bounds=(0.0, float("inf")), function=lambda p: p.losses.mean())

def loud(predictions):
    raise KeyError("groups\\nof images")

def spoils(predictions):
    predictions.labels[:] = 0

LOUD = replace(LOSS, function=loud)
EXITS = replace(LOSS, function=lambda p: sys.exit(3))
NONE = replace(LOSS, function=lambda p: None)
VECTOR = replace(LOSS, function=lambda p: p.losses)
TRUE = replace(LOSS, function=lambda p: True)
NAN = replace(LOSS, function=lambda p: float("nan"))
MANY = replace(LOSS, function=lambda p: 1.5, bounds=(0.0, 1.0))
SPOILS = replace(LOSS, function=spoils)
LARGE = replace(LOSS, min_classes=11)
BARE = LOSS.function
UNTITLED = replace(LOSS, title="two\\nlines")
TWISTED = replace(LOSS, bounds=(1, 0))
UNDIRECTED = replace(LOSS, higher_is_better="yes")
"""
SUITE = """
methods = ["ce"]
noise = ["symmetric:0.4"]
seeds = 1
model = "mlp"
[dataset]
name = "digits"
train_per_class = 20
[recipe]
epochs = 2
[report]
metrics = [{}]
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / f"{MODULE}.py").write_text(METRICS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    sys.modules.pop(MODULE, None)


def declared(*names: str) -> suite.Suite:
    listed = ", ".join(f'"{name}"' for name in names)
    return suite.parse(SUITE.format(listed), "mine", "mine.toml")


def test_a_suite_that_names_one_has_other_runs_and_one_that_names_ours_the_same() -> None:
    plain, ours = declared(), declared("nll", "ece")
    mine = declared(f"{MODULE}:LOSS", "ece", f"{MODULE}:LARGE")
    assert plain.sha256 == ours.sha256 != mine.sha256
    assert {s.metrics for s in mine.specs} == {(f"{MODULE}:LARGE", f"{MODULE}:LOSS")}
    assert mine.report.metrics == (f"{MODULE}:LOSS", "ece", f"{MODULE}:LARGE")


def test_its_value_is_in_the_record_with_its_source() -> None:
    spec = tiny("ce", metrics=(f"{MODULE}:LARGE", f"{MODULE}:LOSS"))
    record, plain = train(spec, HERE), train(tiny("ce"), HERE)
    found = record.evaluations["measures"]
    assert found[f"{MODULE}:LOSS"] == pytest.approx(found["nll"], abs=1e-5)
    assert f"{MODULE}:LARGE" not in found  # digits have ten classes
    assert set(record.part_sources) == {f"metric {name}" for name in spec.metrics}
    assert all(source.startswith("sha256:") for source in record.part_sources.values())
    assert "unmeasured" not in record.evaluations
    assert problems(record) == []
    assert RunRecord.from_json(record.to_json()) == record
    assert train(spec, HERE).science() == record.science()
    # Nothing else of the run is other than without it.
    assert (record.curves, record.pairing) == (plain.curves, plain.pairing)
    assert {k: v for k, v in found.items() if ":" not in k} == plain.evaluations["measures"]


WRONG = [
    ("LOUD", "raised KeyError: 'groups\\nof images'"),
    ("EXITS", "raised SystemExit: 3"),
    ("NONE", "returned NoneType; it should return one float"),
    ("VECTOR", "returned ndarray of shape (60,); it should return one float"),
    ("TRUE", "returned bool; it should return one float"),
    ("NAN", "returned nan; it should return a finite number"),
    ("MANY", "returned 1.5, outside its bounds 0 to 1"),
    ("SPOILS", "raised ValueError: assignment destination is read-only"),
]


@pytest.mark.parametrize(("name", "problem"), WRONG)
def test_what_it_does_wrong_is_one_line_before_anything_is_trained(name: str, problem: str) -> None:
    labels = np.arange(60) % 10
    with pytest.raises(UserError) as caught:
        outside.try_out(f"{MODULE}:{name}", labels, 10)
    assert str(caught.value).startswith(f"metric '{MODULE}:{name}' {problem} (tried on random")
    assert "\n" not in str(caught.value)
    assert (labels == np.arange(60) % 10).all()


def test_a_dry_run_refuses_it() -> None:
    plan.check(declared(f"{MODULE}:LOSS", f"{MODULE}:LARGE").specs, None, CPU, train=False)
    with pytest.raises(UserError, match="returned NoneType"):
        plan.check(declared(f"{MODULE}:NONE").specs, None, CPU, train=False)


def test_a_run_keeps_everything_else_and_says_why_there_is_no_value() -> None:
    names = tuple(f"{MODULE}:{name}" for name in ("EXITS", "LOSS", "LOUD", "VECTOR"))
    record = train(tiny("ce", metrics=names), HERE)
    assert (record.status, record.error, problems(record)) == ("ok", None, [])
    found, reasons = record.evaluations["measures"], record.evaluations["unmeasured"]
    assert [found[name] is None for name in names] == [True, False, True, True]
    assert list(reasons) == [names[0], names[2], names[3]]
    assert f"metric '{names[0]}' raised SystemExit: 3" in outcome_words(record)
    assert record.metrics["last"] is not None
    assert RunRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("eec", "unknown metric 'eec' in mine.toml, report; did you mean 'ece'?"),
        (f"{MODULE}:LOS", "has no 'LOS'; did you mean 'LOSS'?"),
        ("nlbench_nowhere:X", "cannot be loaded: ModuleNotFoundError"),
        (f"{MODULE}:BARE", "(function) should be a Metric(name=..., title=..., ...)"),
        (f"{MODULE}:UNTITLED", "title = 'two\\nlines' should be words on one line"),
        (f"{MODULE}:TWISTED", "bounds = (1, 0) should be the smallest and the largest value"),
        (f"{MODULE}:UNDIRECTED", "higher_is_better = 'yes' should be True or False"),
    ],
)
def test_a_suite_refuses_what_is_none(name: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        declared(name)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_submission_must_state_its_source() -> None:
    record = train(tiny("ce", metrics=(f"{MODULE}:LOSS",)), HERE)
    nothing = replace(record, part_sources={})
    assert sources(Submission(Path("a"), (record,))).problems == ()
    (problem,) = sources(Submission(Path("a"), (nothing,))).problems
    assert f"the source of metric {MODULE}:LOSS is not recorded" in problem


def test_an_edit_makes_its_runs_outdated(tmp_path: Path) -> None:
    spec = tiny("ce", metrics=(f"{MODULE}:LOSS",))
    before = part_sources(spec)
    (tmp_path / f"{MODULE}.py").write_text(METRICS + "\n# edited\n")
    sys.modules.pop(MODULE)
    assert part_sources(spec) != before


def test_one_that_a_package_announces(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    point = EntryPoint("lead", f"{MODULE}:LOSS", "nlbench.metrics")
    monkeypatch.setattr("nlbench.outside.entry_points", lambda **_: (point,))
    monkeypatch.syspath_prepend("nowhere")  # what was found is kept by import path
    assert metrics.get("lead").name == "lead"
    assert metrics.is_outside("lead")
    assert not metrics.is_outside("ece")
