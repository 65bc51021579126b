"""What methods selected: shares, how many labels of them are right, and classes that were lost."""

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
from nlbench.reports.read.fields import KEPT
from nlbench.reports.topics import kept

Make = Callable[..., Any]
NOISY = "symmetric:0.4"
VALUES = {
    (method, line): [85.0, 86.0, 87.0]
    for line in ("clean", NOISY)
    for method in ("ce", "coteaching", "truncated-gce")
}


def _selecting(record: RunRecord) -> RunRecord:
    """Half is kept; of three seeds two lose a class under noise, if the method is truncated GCE."""
    name, seed, noisy = record.spec.method.name, record.spec.seed, record.spec.noise == NOISY
    if name == "ce":
        return record
    least = 0.0 if name == "truncated-gce" and noisy and seed > 0 else 0.3
    curves = {
        "kept": (1.0, 0.5),
        "kept_least": (1.0, least),
        "kept_precision": (0.6, 0.9) if noisy else (1.0, 1.0),
        "kept_recall": (1.0, 0.75) if noisy else (1.0, 0.5),
    }
    return replace(record, curves={**record.curves, **curves})


def _made(make_study: Make) -> Any:
    made = make_study(VALUES, baseline="ce")
    made.records = [_selecting(record) for record in made.records]
    return made


def test_shares_of_the_last_epoch_and_what_selecting_is_worth(make_study: Make) -> None:
    made = _made(make_study)
    found = kept.find(analyse(made.study, made.records))
    assert [(one.cell.condition, one.cell.method, one.without) for one in found] == [
        ("clean", "coteaching", 0),
        ("clean", "truncated-gce", 0),
        (NOISY, "coteaching", 0),
        (NOISY, "truncated-gce", 2),
    ]
    means = {name: numbers.mean for name, numbers in found[3].numbers.items()}
    # 0.5 x 0.9 are kept and right, and those are 0.75 of all that are right.
    assert means == pytest.approx(
        {"kept": 50, "kept_least": 10, "kept_precision": 90, "right": 60, "kept_recall": 75}
    )


def test_a_lost_class_is_a_warning_and_stands_in_the_files(
    make_study: Make, tmp_path: Path
) -> None:
    made = _made(make_study)
    reports.build_report(made.study, made.records, tmp_path, only=None)
    index = (tmp_path / "index.md").read_text()
    assert index.count("truncated-gce kept no sample of some class at the last epoch") == 2
    assert "symmetric 0.4 (2 of 3 runs)" in index
    rows = list(csv.DictReader(io.StringIO((tmp_path / "kept.csv").read_text())))
    assert [row["seeds_without_a_class"] for row in rows] == ["0", "0", "0", "2"]
    lines = (tmp_path / "kept.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [
        "symmetric 0.4", "coteaching", "3", "50.00 ± 0.00", "30.00 ± 0.00", "90.00 ± 0.00",
        "60.00 ± 0.00", "75.00 ± 0.00", "0",
    ] in cells  # fmt: skip
    assert "kept" not in (tmp_path / "runs.csv").read_text().splitlines()[0]


def test_where_right_labels_are_unknown_shares_alone_are_shown(make_study: Make) -> None:
    made = _made(make_study)
    for record in list(made.records):
        curves = {k: v for k, v in record.curves.items() if k not in KEPT[2:]}
        key = record.spec.method.name, record.spec.noise, record.spec.seed
        made.change(*key, curves=curves)
    results = analyse(made.study, made.records)
    found = kept.find(results)
    assert found[0].numbers["kept"].mean == pytest.approx(50)
    assert found[0].numbers["right"].mean is None
    assert "nan" not in kept.pages(results, found)["kept.md"]


def test_studies_whose_methods_leave_nothing_out_have_no_part(
    make_study: Make, tmp_path: Path
) -> None:
    made = make_study(VALUES)
    reports.build_report(made.study, made.records, tmp_path, only=None)
    assert not list(tmp_path.glob("kept*"))
