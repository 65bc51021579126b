"""What a suite declares beforehand: hypotheses, the accuracy rule, a planned spread."""

from __future__ import annotations

import re

import pytest

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.hypothesis import Hypothesis
from nlbench.benchmark.suites import suite

TEXT = """
methods = ["ce", "gce", "drainage"]
noise = ["clean", "symmetric:0.4", "asymmetric:0.4:map=block5", "instance:0.4:scale=unit"]
seeds = 2
model = "mlp"
[dataset]
name = "digits"
[recipe]
epochs = 1
"""


def parse(more: str) -> suite.Suite:
    return suite.parse(TEXT + more, "mine", "mine.toml")


def test_hypotheses_are_kept_in_order_and_change_no_run() -> None:
    found = parse(
        '[[hypothesis]]\na = "drainage"\nb = "gce"\nwhere = "asymmetric"\n'
        '[[hypothesis]]\na = "gce"\nb = "drainage"\n'
    )
    assert found.hypotheses == (
        Hypothesis("drainage", "gce", "asymmetric"),
        Hypothesis("gce", "drainage"),
    )
    assert found.sha256 == parse("").sha256
    assert found.select(seeds=[0]).hypotheses == found.hypotheses
    assert parse("").hypotheses == ()


@pytest.mark.parametrize(
    ("where", "line", "covered"),
    [
        ("", "clean", True),
        ("asymmetric", "asymmetric:0.4:map=block5", True),
        ("asymmetric", "symmetric:0.4", False),
        ("symmetric", "asymmetric:0.4", False),
        ("asymmetric:map=block5", "asymmetric:0.2:map=block5", True),
        ("asymmetric:0.4", "asymmetric:0.2:map=block5", False),
        ("instance", "instance:0.2+pair:0.2", False),
        ("instance+pair", "instance:0.2+pair:0.2", True),
    ],
)
def test_what_a_hypothesis_is_about(where: str, line: str, covered: bool) -> None:
    assert Hypothesis("a", "b", where).covers(line) is covered


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('hypothesis = "gce"', "hypothesis should be tables, written [[hypothesis]]"),
        ('[[hypothesis]]\na = "gce"', 'hypothesis 1: b is missing, the name of a method such as "'),
        ('[[hypothesis]]\na = "gce"\nb = 3', "hypothesis 1: b = 3 should be a text"),
        ('[[hypothesis]]\na = "gce"\nb = "c"', "unknown method 'c' in mine.toml, hypothesis 1"),
        ('[[hypothesis]]\na = "gce"\nb = "gce"', "hypothesis 1: a and b are both 'gce'"),
        (
            '[[hypothesis]]\na = "gce"\nb = "ce"\nwhere = "asymetric"',
            "unknown noise 'asymetric' in mine.toml, hypothesis 1",
        ),
        ('[[hypothesis]]\na = "gce"\nb = "ce"\nwhat = "x"', "unknown key 'what'"),
        (
            '[[hypothesis]]\na = "gce"\nb = "ce"\n[[hypothesis]]\na = "ce"\nb = "gce"',
            "hypothesis 2: ce and gce have been declared already",
        ),
        ("[report]\nplanned_sd = 0", "report: planned_sd = 0 should be points of accuracy above 0"),
        ('[report]\nplanned_sd = "1"', "report: planned_sd = '1' should be points"),
        ("[report]\nrule = 1", "report: rule = 1 should be a text"),
    ],
)
def test_mistakes_are_named(more: str, words: str) -> None:
    text = more + TEXT if more.startswith("hypothesis") else TEXT + more
    with pytest.raises(UserError, match=re.escape(words)):
        suite.parse(text, "mine", "mine.toml")


def test_rule_and_planned_spread() -> None:
    found = parse('[report]\nrule = "noisy_val"\nplanned_sd = 0.5\n').report
    assert (found.rule, found.planned_sd) == ("noisy_val", 0.5)
    assert (parse("").report.rule, parse("").report.planned_sd) == ("last", None)
