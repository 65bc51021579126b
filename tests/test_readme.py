"""The README shows what the tool made, and names nothing that is not there."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from nlbench.benchmark.suites import suite

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
STUDIES = (
    "field",
    "field-leaders",
    "field-tuned",
    "field-views",
    "quick",
    "fashion",
    "osr-fashion",
    "extreme",
    "drainage-ablation",
    "extreme-classes",
    "l1-budget-digits",
)
PUBLISHED = ROOT / "results" / "published"


def test_its_table_is_the_first_rows_of_the_published_one_and_the_baseline() -> None:
    text = (PUBLISHED / "field" / "accuracy.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if re.search(r"^\|.*\d ± \d", line)]
    shown = [line for line in README.splitlines() if re.search(r"^\|.*\d ± \d", line)]
    first = [line for line in shown if not line.startswith("| CE ")]
    assert len(first) >= 15
    assert first == [line for line in rows if not line.startswith("| CE ")][: len(first)]
    assert [line for line in shown if line not in first] == [
        line for line in rows if line.startswith("| CE ")
    ]
    methods = len({spec.method for spec in suite.load(_suite("field")).specs})
    assert len(rows) == methods
    assert methods == len({spec.method.name for spec in suite.load("field").specs})
    said = (
        f"of its {methods} methods here are the first {len(first)} and CE",
        f"[all {methods}]",
        f"accuracy of {methods} methods",
    )
    assert [words for words in said if words not in README] == []


def test_its_seconds_a_run_are_the_published_ones() -> None:
    cost = (PUBLISHED / "field" / "cost.md").read_text("utf-8")
    (seconds,) = re.findall(r"A run of CE: .*?, (\d+\.\d) s,", cost)
    assert f"{float(seconds):.0f} s a run of CE on one core" in README


def test_its_verdicts_are_counted_as_published() -> None:
    with (PUBLISHED / "field" / "verdicts.csv").open(encoding="utf-8", newline="") as file:
        overall = [row["words"] for row in csv.DictReader(file) if row["gate"] == "1"]
    better, worse = overall.count("better"), overall.count("worse")
    words = " ".join(README.split())
    assert (
        f"Of the {len(overall)}, {better} are better than CE on average and {worse} worse" in words
    )
    assert f"The other {len(overall) - better - worse} differ" in words


@pytest.mark.parametrize(
    ("study", "begins", "ends"),
    [
        ("field", "Mean ± standard", "!["),
        ("field-leaders", "On fresh seeds", "With a second view"),
        ("field-views", "With a second view", "With settings chosen"),
    ],
)
def test_its_differences_are_the_published_ones(study: str, begins: str, ends: str) -> None:
    report = (PUBLISHED / study / "overall.md").read_text("utf-8")
    words = README.split(begins)[1].split(ends)[0]
    found = re.findall(
        r"(-?\d+\.\d\d) (?:points )?(\[\d+\.\d\d, \d+\.\d\d\])", " ".join(words.split())
    )
    assert len(found) >= 4
    by = re.findall(
        r"beats CE on average over these conditions by (\S+) points (\[[^]]*\])", report
    )
    assert [one for one in found if one not in by] == []


def test_nine_leaders_come_in_the_same_order_on_fresh_seeds_and_the_seventh_is_sixth() -> None:
    texts = [(PUBLISHED / n / "accuracy.md").read_text("utf-8") for n in ("field", "field-leaders")]
    first = [re.findall(r"^\| (\w.*?) +\|.*\d ± \d", text, re.MULTILINE)[:10] for text in texts]
    again = list(first[0])
    again.insert(5, again.pop(6))
    assert again == first[1]
    assert again[5] == "ELR+"
    assert again[0] == "Co-teaching"


def test_its_means_before_and_after_tuning_are_the_published_ones() -> None:
    table = README.split("With settings chosen")[1].split("Drainage in detail")[0]
    shown = re.findall(r"^\| (\S+) +\| +(\d+\.\d+) \| +(\d+\.\d+) \|", table, re.MULTILINE)
    assert len(shown) == 7
    for name, column in (("field", 1), ("field-tuned", 2)):
        text = (PUBLISHED / name / "accuracy.md").read_text("utf-8")
        means = dict(re.findall(r"^\| (\S+) .*?(\d+\.\d+)\W*\|$", text, re.MULTILINE))
        assert {row[0]: row[column] for row in shown}.items() <= means.items()


def test_three_tuned_runs_of_gce_are_far_below_the_others() -> None:
    with (PUBLISHED / "field-tuned" / "runs.csv").open(encoding="utf-8", newline="") as file:
        runs = [row for row in csv.DictReader(file) if row["method_name"] == "gce"]
    found: list[float] = []
    for noise in ("clean", "symmetric:0.4"):
        ends = sorted(float(row["last"]) for row in runs if row["condition"] == noise)
        low, rest = [x for x in ends if x < 80], [x for x in ends if x > 80]
        found += [other - one for one in low for other in rest]
        assert len(ends) == 5
    assert len(found) == 1 * 4 + 2 * 3
    assert min(found) > 10
    assert max(found) < 14


def test_its_links_and_pictures_are_there() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    local = [target for target in targets if "://" not in target]
    assert local
    assert [target for target in local if not (ROOT / target).exists()] == []


def test_its_make_targets_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_its_study_runs_as_written() -> None:
    text = README.split("```toml\n")[1].split("```")[0]
    specs = suite.parse(text, "readme", "README.md").specs
    assert len(specs) == 4 * 2 * 5


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda page: page.stem)
def test_links_of_the_docs_are_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_mean_of_the_drainage_page_stands_in_a_published_table() -> None:
    published = " ".join(p.read_text("utf-8") for p in sorted(PUBLISHED.glob("*/*.md")))
    means = re.findall(r"\d+\.\d+ ± \d+\.\d+", (ROOT / "docs" / "drainage.md").read_text("utf-8"))
    assert len(means) > 30
    assert [mean for mean in means if mean not in published] == []


@pytest.mark.parametrize("name", STUDIES)
def test_published_results_are_of_their_suite(name: str) -> None:
    board = (PUBLISHED / name / "leaderboard.csv").read_text("utf-8")
    assert suite.load(_suite(name)).sha256 in board


def _suite(name: str) -> str:
    """The suite file beside the published records: the suite may have changed since."""
    return str(PUBLISHED / name / f"{name}.toml")
