"""``nlbench.run``: what the command line trains, from a name, a path or a dictionary."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nlbench
from nlbench.api.run import Options, train_options
from nlbench.api.suites import suite_of
from nlbench.benchmark.executors.options import TrainOptions
from nlbench.benchmark.suites import suite as suites
from nlbench.cli.main import main

TOML = """
title = "Small"
methods = ["ce", { name = "gce", q = [0.5, 0.7] }]
noise = ["symmetric:0.4"]
seeds = [0, 1]
model = "mlp"

[dataset]
name = "digits"
train_per_class = 10

[recipe]
epochs = 1
lr = 0.05
"""
SMALL: dict[str, Any] = {
    "name": "small",
    "title": "Small",
    "methods": ("ce", {"name": "gce", "q": np.array([0.5, 0.7])}),
    "noise": pd.Series(["symmetric:0.4"]),
    "seeds": range(2),
    "model": "mlp",
    "dataset": {"name": "digits", "train_per_class": np.int64(10)},
    "recipe": {"epochs": 1, "lr": 0.05},
}
HERE: dict[str, Any] = {"device": "cpu", "workers": 1, "quiet": True}


def test_a_dictionary_is_the_suite_of_its_toml_file(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(TOML)
    wanted = suites.load(str(tmp_path / "small.toml"))
    assert suite_of(SMALL) == wanted
    assert suite_of(tmp_path / "small.toml") == wanted
    assert SMALL["name"] == "small"  # nothing is taken out of it
    assert suite_of("cifar10", "matched") == suites.load("cifar10", "matched")


def test_it_trains_what_is_missing_and_gives_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first = nlbench.run(SMALL, seeds=0, **HERE)
    assert repr(first) == "<Ran small: 3 of 3 runs done (3 ok), 3 of them now>"
    ran = nlbench.run(SMALL, **HERE)
    assert repr(ran) == "<Ran small: 6 of 6 runs done (6 ok), 3 of them now>"
    assert ran.complete
    assert not ran.failed
    pd.testing.assert_frame_equal(ran.frame, nlbench.load(SMALL))
    found = nlbench.compare(ran.frame, baseline="ce")
    assert repr(found).startswith("<Compared small: 3 methods against CE, 1 condition, 2 seeds")
    Path("small.toml").write_text(TOML)
    capsys.readouterr()
    assert main(["run", "small.toml", "--device", "cpu", "--workers", "1"]) == 0  # all is done
    assert "6 ok, 0 diverged, 0 failed, 0 missing" in capsys.readouterr().err
    assert ran.report(only="leaderboard") == Path("results/reports/small")
    board = pd.read_csv("results/reports/small/significance.csv")
    assert board["estimate"].tolist() == pytest.approx(found.verdicts["estimate"].tolist())
    again = nlbench.run(SMALL, force="ce", seeds=[1], **HERE)
    assert repr(again) == "<Ran small: 3 of 3 runs done (3 ok), 1 of them now>"


def test_runs_that_fail_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text(
        "from dataclasses import dataclass\nfrom nlbench.baselines import Method\n\n\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Broken(Method):\n"
        "    title = 'Broken'\n    family = 'robust'\n    formula = '-'\n    source = 'here'\n\n"
        "    def per_sample(self, logits, targets):\n        raise RuntimeError('no loss today')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    suite = {**SMALL, "methods": ["broken:Broken"], "seeds": 1}
    with pytest.warns(UserWarning, match=r"1 run failed, the first one: .*no loss today"):
        ran = nlbench.run(suite, results=tmp_path / "results", **HERE)
    assert not ran.complete
    assert "no loss today" in ran.failed[0]


def test_its_options_are_those_of_the_engine() -> None:
    assert list(Options.__annotations__) == [field.name for field in fields(TrainOptions)]
    assert train_options({}) == TrainOptions()
    given = {"data": "a", "gpus": 2, "force": "ce, gce(q=1)", "minutes": 0.5, "run_timeout": 9}
    asked = train_options(given)
    assert (asked.data, asked.gpus, asked.minutes) == (Path("a"), "2", 0.5)
    assert asked.force == ("ce", "gce(q=1)")
    assert asked.executor == "multiprocessing"
    assert train_options({"force": True}).force == ()
    assert train_options({"begin": [3, 16]}).begin == (3, 16)
    assert train_options({"force": False, "workers": None}) == TrainOptions()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"suite": "quik"}, "unknown suite 'quik'.*did you mean 'quick'"),
        ({"suite": 3}, "suite of type int: should be a name"),
        ({"suite": {}}, "suite 'suite': dataset is missing or empty"),
        ({"suite": {**SMALL, "metods": 1}}, "unknown key 'metods' in suite 'small'.*'methods'"),
        ({"suite": {**SMALL, "name": 3}}, "name = 3 should be a text"),
        ({"suite": {**SMALL, "methods": ["gec"]}}, "unknown method 'gec'"),
        ({"suite": {**SMALL, "seeds": "all"}}, "seeds = 'all' should be a number"),
        ({"suite": {**SMALL, "noise": [0.4]}}, "noise 0.4 should be a text such as"),
        ({"suite": {**SMALL, "report": {"test": "u"}}}, "unknown .*test.* 'u'"),
        ({"methods": "mae"}, "mae"),
        ({"devise": "cpu"}, "unknown option 'devise' in nlbench.run; did you mean 'device'"),
        ({"device": "tpu"}, "tpu"),
        ({"device": 0}, "device = 0 should be a text"),
        ({"workers": "two"}, "workers = 'two' should be a whole number from 1 on"),
        ({"workers": 0}, "workers = 0 should be"),
        ({"minutes": -1}, "minutes = -1 should be a number from 0 on"),
        ({"retry": "no"}, "retry = 'no' should be True or False"),
        ({"begin": (3, 2)}, r"begin = \(3, 2\) should be two whole numbers"),
        ({"begin": "1/2"}, "begin = '1/2' should be two whole numbers"),
        ({"force": ""}, "force = '' names no method"),
        ({"profile": "best"}, "unknown profile 'best'"),
    ],
)
def test_what_cannot_be_trained_is_one_line(
    tmp_path: Path, words: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        nlbench.run(**{"suite": SMALL, "results": tmp_path, **HERE, **words})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()
