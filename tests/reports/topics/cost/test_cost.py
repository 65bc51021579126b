"""What methods cost: ratios of paired runs, what they were told, one network beside two."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nlbench import reports
from nlbench.benchmark.store.record import RunRecord
from nlbench.reports.compare.results import analyse
from nlbench.reports.topics.cost import find, page

Make = Callable[..., Any]
VALUES = {
    ("gce", "clean"): [88.0, 89.0, 90.0],
    ("ce", "clean"): [85.0, 86.0, 87.0],
    ("coteaching", "clean"): [91.0, 92.0, 93.0],
}
CE = {"epochs": 2, "forward": 1000, "backward": 1000}
PAIR = {"epochs": 2, "forward": 2100, "backward": 2000}


def _with_cost(record: RunRecord) -> RunRecord:
    """CE takes 10, 20, 30 s; the pair 3, 2, 2 times as long and twice the memory."""
    name, seed = record.spec.method.name, record.spec.seed
    base = 10.0 * (seed + 1)
    timing = {**record.timing, "seconds": base, "cost": CE, "peak_memory": 100 + seed}
    if name != "coteaching":
        return replace(record, timing=timing)
    timing |= {"seconds": base * (3 if seed == 0 else 2), "cost": PAIR}
    timing["peak_memory"] = 2 * (100 + seed)
    first = record.metrics["last"] - 0.01 * (seed + 1)
    return replace(
        record,
        timing=timing,
        curves={**record.curves, "test_member_0": (0.1, first)},
        evaluations={"told": ["noise_rate"]},
    )


def _made(make_study: Make, **words: Any) -> Any:
    made = make_study(VALUES, **words)
    made.records = [_with_cost(record) for record in made.records]
    return made


def test_ratios_are_of_runs_with_equal_labels_and_seed(make_study: Make) -> None:
    made = _made(make_study)
    (part,) = find.costs(analyse(made.study, made.records))
    assert part.reference == "ce"
    gce, ce, pair = part.costs
    assert set(ce.ratios.values()) == set(gce.ratios.values()) == {1.0}
    # Pairs: 3, 2, 2. Of the medians it would be 40 / 20, of the means 50 / 20.
    assert pair.ratios == {
        "passes": 1.0, "images_forward": 2.1, "images_backward": 2.0,
        "seconds": 2.0, "peak_memory": 2.0,
    }  # fmt: skip
    assert (pair.told, gce.told, pair.runs) == ("noise_rate", "", 3)
    assert ce.medians["seconds"] == 20.0


def test_seconds_of_other_machines_are_not_compared(make_study: Make) -> None:
    made = _made(make_study)
    for seed in (1, 2):
        (record,) = (
            r for r in made.records if (r.spec.method.name, r.spec.seed) == ("coteaching", seed)
        )
        other = {**record.environment, "device": "cuda"}
        made.change("coteaching", "clean", seed, environment=other)
    (part,) = find.costs(analyse(made.study, made.records))
    pair = part.costs[2]
    assert pair.ratios["seconds"] == 3.0
    assert pair.ratios["images_forward"] == 2.1


def test_one_network_beside_two(make_study: Make) -> None:
    made = _made(make_study)
    (part,) = find.costs(analyse(made.study, made.records))
    (one,) = part.alone
    assert one.first.mean == pytest.approx(90.0)
    assert one.both.mean == pytest.approx(92.0)
    assert one.gain.mean == pytest.approx(2.0)
    assert one.gain.sd == pytest.approx(1.0)


def test_a_diverged_pair_counts_with_chance_in_both_columns(make_study: Make) -> None:
    made = _made(make_study)
    made.change("coteaching", "clean", 0, status="diverged", metrics={})
    (part,) = find.costs(analyse(made.study, made.records))
    assert part.alone[0].first.mean == pytest.approx((10.0 + 90.0 + 90.0) / 3)


def test_without_cross_entropy_the_baseline_is_the_reference(make_study: Make) -> None:
    made = make_study({k: v for k, v in VALUES.items() if k[0] != "ce"})
    made.records = [_with_cost(record) for record in made.records]
    (part,) = find.costs(analyse(made.study, made.records))
    assert part.reference == "gce"


def test_without_any_cost_of_a_reference_there_are_no_ratios(make_study: Make) -> None:
    made = make_study(VALUES, baseline="ce")
    made.records = [
        _with_cost(r) if r.spec.method.name == "coteaching" else r for r in made.records
    ]
    results = analyse(made.study, made.records)
    (part,) = found = find.costs(results)
    assert part.reference is None
    text = page.pages(results, found)["cost.md"]
    assert "no ratios" in text
    assert "nan" not in text


def test_files_of_a_report(make_study: Make, tmp_path: Path) -> None:
    made = _made(make_study, baseline="ce")
    reports.build_report(made.study, made.records, tmp_path, only=None)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "cost.csv").read_text())))
    assert [row["method"] for row in rows] == ["gce", "ce", "coteaching"]
    assert rows[2]["images_forward_ratio"] == "2.1"
    index = (tmp_path / "index.md").read_text()
    assert "Images forward, methods with more than ce, times its number: coteaching 2.10." in index
    assert "Given what is unknown outside an experiment: coteaching (noise rate)." in index
    assert "all networks together +2.00 points over the first alone" in index
    lines = (tmp_path / "cost.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert ["coteaching", "noise rate", "1.00", "2.10", "2.00", "2.00", "2.00"] in cells
    assert "first_network" in (tmp_path / "runs.csv").read_text().splitlines()[0]
    assert "coteaching & noise rate" in (tmp_path / "cost.tex").read_text()
    assert (tmp_path / "first-network.csv").exists()


def test_a_sentence_for_the_page_of_each_method(make_study: Make) -> None:
    made = _made(make_study, baseline="ce")
    results = analyse(made.study, made.records)
    assert page.of_methods(results, find.costs(results)) == {
        "ce": "Cost of a run: 2 passes, 1,000 images forward and 20.0 seconds.",
        "gce": "Cost, ce = 1: passes 1.00, images forward 1.00, images backward 1.00 and seconds"
        " 1.00.",
        "coteaching": "Cost, ce = 1: passes 1.00, images forward 2.10, images backward 2.00 and"
        " seconds 2.00. Told: noise rate.",
    }


def test_several_settings_of_a_method_are_a_span(make_study: Make) -> None:
    made = _made(make_study, baseline="ce")
    results = analyse(made.study, made.records)
    (part,) = find.costs(results)
    pair = part.costs[2]
    slower = replace(pair, ratios={**pair.ratios, "seconds": 2.5, "passes": float("nan")})
    said = page.of_methods(results, (part, replace(part, costs=(slower,))))["coteaching"]
    assert "passes 1.00, images forward 2.10" in said
    assert "seconds 2.00 to 2.50." in said


def test_records_without_costs_have_no_part(make_study: Make, tmp_path: Path) -> None:
    made = make_study(VALUES)
    reports.build_report(made.study, made.records, tmp_path, only=None)
    assert not list(tmp_path.glob("cost*"))
    assert "peak_memory" not in (tmp_path / "runs.csv").read_text()
