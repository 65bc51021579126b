"""The report of a tuned study says what was chosen, by which rule, from which records."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from nlbench import reports
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.suites import settle, suite
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.topics import tuned
from nlbench.studies import study_of
from tests.helpers.studies import record
from tests.helpers.tuning import parse, records


def _text(best: int) -> str:
    tuning = parse()
    return settle.settle(tuning, records(tuning, best))


def _results(best: int, text: str = "") -> Results:
    made = suite.parse(text or _text(best), "mine-tuned", "mine-tuned.toml")
    found = [record(spec, 80.0 + spec.seed) for spec in made.specs]
    return analyse(study_of(made), found)


def _rows(results: Results) -> list[dict[str, str]]:
    found = tuned.find(results)
    return list(csv.DictReader(io.StringIO(tuned.tables(results, found)["tuned.csv"])))


def test_a_row_says_setting_rule_budget_and_records() -> None:
    tuning = parse()
    rows = _rows(_results(2))
    assert len(rows) == 2 * 4
    for row in rows:
        tried = list(
            dict.fromkeys(
                (s.method, s.recipe.lr)
                for s in tuning.specs
                if (s.noise, s.method.name) == (row["condition"], NAMES[row["method"]])
            )
        )
        method, lr = tried[2]
        assert (json.loads(row["params"]), float(row["lr"])) == (method.values, lr)
        method, lr = tried[0]
        assert (json.loads(row["untuned_params"]), float(row["untuned_lr"])) == (method.values, lr)
        assert (row["rule"], row["tried"], row["seeds"]) == ("noisy_val", "4", "7 8 9")
        assert (row["suite"], row["suite_sha256"]) == ("mine", tuning.sha256)
        assert (row["records"], len(row["records_sha256"])) == ("96", 64)
        assert float(row["held_out_accuracy"]) == pytest.approx(200 / 3, abs=1e-5)
        assert float(row["untuned_held_out_accuracy"]) == 50.0


NAMES = {"CE": "ce", "GCE": "gce", "Drainage": "drainage", "Co-teaching": "coteaching"}


def test_what_tuning_left_alone_is_said() -> None:
    results = _results(0)
    rows = tuned.find(results)
    assert {row.changes() for row in rows} == {"nothing"}
    words = " ".join(tuned.section(results, rows, results.blocks[0]))
    assert "Of 8 choices 8 left the setting as it is" in words


def test_the_page_and_every_caption_say_it(tmp_path: Path) -> None:
    made = suite.parse(_text(2), "mine-tuned", "mine-tuned.toml")
    found = [record(spec, 80.0 + spec.seed) for spec in made.specs]
    reports.build_report(study_of(made), found, tmp_path, only="tables")
    sentence = "the best of 4 settings tried for every method on seeds 7, 8 and 9 of suite mine"
    for name in ("accuracy.md", "accuracy.tex", "tuned.md"):
        assert sentence in " ".join((tmp_path / name).read_text("utf-8").split())
    page = (tmp_path / "tuned.md").read_text("utf-8")
    assert "lr 0.01 →" in page
    assert parse().sha256 in page


def test_other_records_have_another_digest() -> None:
    (one,), (two,) = ({row["records_sha256"] for row in _rows(_results(b))} for b in (1, 2))
    assert one != two


def test_without_the_table_the_caption_says_so(tmp_path: Path) -> None:
    text = _text(2).split("[tuned]")[0]
    results = _results(2, text)
    assert tuned.find(results) == []
    reports.build_report(results.study, _records(results), tmp_path, only="tables")
    assert "chosen is not recorded in the suite" in (tmp_path / "accuracy.md").read_text("utf-8")
    assert not (tmp_path / "tuned.md").exists()


def _records(results: Results) -> list[reports.RunRecord]:
    return [record(spec, 80.0 + spec.seed) for spec in results.study.specs]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"method" = "gce"', '"method" = "mae"', "no choice for 'gce'"),
        ('"tried" = 4', '"tried" = "4"', "tried = '4' is of the wrong type"),
        ("budget = 4", "budgets = 4", "did you mean 'budget'"),
        ('rule = "noisy_val"\n', "", "rule is missing"),
        ('profile = "tuned"', 'profile = "matched"', "no choice for 'ce'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(old: str, new: str, message: str) -> None:
    text = _text(2)
    assert old in text
    with pytest.raises(UserError, match=message):
        suite.parse(text.replace(old, new), "mine-tuned", "mine-tuned.toml")
