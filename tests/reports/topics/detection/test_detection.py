"""Detection and failure signatures of a report, against the raw numbers of the records."""

from __future__ import annotations

import base64
import csv
import io
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from nlbench import reports
from nlbench.reports.compare.results import Results, analyse
from nlbench.reports.topics.detection.compare import Found, search
from nlbench.reports.topics.detection.failures import (
    BLIND,
    CLEAN_MARGIN,
    COLLAPSE,
    COLLAPSE_MASS,
    LOST,
    SILENT,
    SILENT_MASS,
)
from nlbench.reports.topics.registry import Topics

Make = Callable[..., Any]
NOISY = "symmetric:0.4"
GRID = np.linspace(0, 1, 101)
AREAS = {
    ("ce", "loss"): [0.94, 0.95, 0.93],
    ("gce", "loss"): [0.98, 0.97, 0.98],
    ("drainage", "loss"): [0.96, 0.965, 0.96],
    ("drainage", "drainage"): [0.68, 0.69, 0.70],
}


def _detection(method: str, seed: int, pixels: bool) -> dict[str, Any]:
    criteria = {
        c: {"auroc": a[seed], "ap": a[seed] - 0.1, "f1": a[seed] - 0.2, "roc": GRID.tolist()}
        for (m, c), a in AREAS.items()
        if m == method
    }
    criteria["margin"] = {**criteria["loss"], "auroc": 0.9}
    found: dict[str, Any] = {"samples": 100, "flipped": 40, "criteria": criteria}
    if method == "drainage":
        clean, flipped = np.zeros(50, int), np.zeros(50, int)
        clean[5], flipped[20] = 60, 40
        found["histogram"] = {"clean": clean.tolist(), "flipped": flipped.tolist()}
        if seed == 0:
            images = np.arange(3 * 16, dtype=np.uint8).reshape(3, 1, 4, 4)
            packed = base64.b64encode(zlib.compress(images.tobytes())).decode()
            found["drained"] = {
                "index": [4, 2, 9],
                "mass": [0.9, 0.8, 0.7],
                "given": [0, 1, 1],
                "true": [1, 1, 0],
                "classes": ["cat", "dog"],
                "shape": [3, 1, 4, 4],
                "pixels": packed if pixels else None,
            }
    return found


def _made(
    make_study: Make,
    masses: tuple[float, float, float] = (0.1, 0.2, 0.3),
    clean: tuple[float, ...] = (90.0, 91.0, 89.0),
    pixels: bool = True,
    methods: tuple[str, ...] = ("ce", "gce", "drainage"),
) -> Any:
    """Masses: at the last epoch on clean labels, of clean samples under noise, of flipped ones."""
    values = {(m, line): [90.0, 91.0, 89.0] for m in methods for line in ("clean", NOISY)}
    if "drainage" in methods:
        values["drainage", "clean"] = list(clean)
    made = make_study(values)
    for at, record in enumerate(made.records):
        method, line, seed = record.spec.method.name, record.spec.noise, record.spec.seed
        curves = dict(record.curves)
        if line == NOISY:
            curves["detect_loss"] = (0.5, AREAS[method, "loss"][seed])
        if method == "drainage":
            on_clean, of_clean, of_flipped = masses
            noisy = line == NOISY
            curves["drainage_clean"] = (0.5, of_clean if noisy else on_clean)
            curves["drainage_flipped"] = (0.5, of_flipped) if noisy else (None, None)
        extra = {"detection": _detection(method, seed, pixels)} if line == NOISY else {}
        made.records[at] = replace(record, curves=curves, evaluations=extra)
    return made


def _results(made: Any) -> Results:
    return analyse(made.study, made.records)


def _searched(results: Results) -> Found:
    found = search(results)
    assert found is not None
    return found


def _found(made: Any) -> dict[str, set[str]]:
    return {s.condition.line: set(s.found) for s in _searched(_results(made)).signatures}


def test_the_table_is_the_records_numbers(make_study: Make, tmp_path: Path) -> None:
    made = _made(make_study)
    reports.build_report(made.study, made.records, tmp_path, only="leaderboard")
    text = (tmp_path / "detection.csv").read_text()
    rows = {
        (r["method"], r["criterion"], r["metric"]): r for r in csv.DictReader(io.StringIO(text))
    }
    for (method, criterion), areas in AREAS.items():
        for metric, off in (("auroc", 0.0), ("ap", 0.1), ("f1", 0.2)):
            raw = 100 * (np.array(areas) - off)
            row = rows[method, criterion, metric]
            assert float(row["mean"]) == pytest.approx(raw.mean(), abs=1e-5)
            assert float(row["sd"]) == pytest.approx(raw.std(ddof=1), abs=1e-5)
            assert row["declared"] == "1"
    assert rows["ce", "margin", "auroc"]["declared"] == "0"


def test_mass_is_compared_with_every_small_loss(make_study: Make, tmp_path: Path) -> None:
    made = _made(make_study)
    ((_, verdicts),) = _searched(_results(made)).blocks
    found = verdicts.mass
    mass = AREAS["drainage", "drainage"]
    others = [("drainage", "loss"), ("ce", "loss"), ("gce", "loss")]
    raw = [stats.ttest_rel(mass, AREAS[other]).pvalue for other in others]
    assert [c.b for c in found] == [f"{m} (small loss)" for m, _ in others]
    assert [c.p_holm for c in found] == pytest.approx(multipletests(raw, method="holm")[1])
    assert {c.words for c in found} == {"worse"}
    reports.build_report(made.study, made.records, tmp_path, only="tables")
    text = (tmp_path / "detection.md").read_text()
    assert "The extra output is the worse detector, decided in every comparison" in text
    assert "drainage (extra output) is worse than ce (small loss) on symmetric 0.4" in text
    assert (tmp_path / "detection.tex").read_text().count("\\toprule") == 1


def test_a_sound_node_has_no_signature(make_study: Make) -> None:
    assert _found(_made(make_study)) == {"clean": set(), NOISY: set()}


def test_collapse_is_judged_by_the_mean_over_all_samples(make_study: Make) -> None:
    # 0.6 of the samples are clean: 0.6 * 0.88 + 0.4 * 0.94 = 0.904; with 0.92 it is 0.896.
    assert COLLAPSE_MASS == 0.9
    assert _found(_made(make_study, (0.89, 0.88, 0.94)))[NOISY] == {COLLAPSE}
    assert _found(_made(make_study, (0.91, 0.88, 0.92))) == {"clean": {COLLAPSE}, NOISY: set()}


@pytest.mark.parametrize(("area", "nothing"), [(0.52, True), (0.44, False), (0.56, False)])
def test_a_node_that_tells_nothing_is_silent_or_blind_by_its_mass(
    make_study: Make, monkeypatch: pytest.MonkeyPatch, area: float, nothing: bool
) -> None:
    monkeypatch.setitem(AREAS, ("drainage", "drainage"), [area] * 3)
    below, above = SILENT_MASS - 0.001, SILENT_MASS + 0.001
    assert _found(_made(make_study, (0.0, 0.0, below)))[NOISY] == ({SILENT} if nothing else set())
    assert _found(_made(make_study, (0.0, 0.0, above)))[NOISY] == ({BLIND} if nothing else set())


@pytest.mark.parametrize(
    ("loss", "lost"),
    [((0.8, 0.9, 0.7), True), ((0.3, 0.4, 0.35), False), ((-3.0, 4.0, 3.0), False)],
)
def test_lost_clean_accuracy_needs_margin_and_interval(
    make_study: Make, loss: tuple[float, ...], lost: bool
) -> None:
    accuracy = tuple(np.subtract((90.0, 91.0, 89.0), loss))
    interval = stats.t.interval(0.95, 2, -np.mean(loss), stats.sem(loss))
    assert lost is bool(np.mean(loss) > CLEAN_MARGIN and interval[1] < 0)
    assert _found(_made(make_study, clean=accuracy))["clean"] == ({LOST} if lost else set())


def test_signatures_are_warnings_with_their_thresholds(make_study: Make, tmp_path: Path) -> None:
    made = _made(make_study, (0.95, 0.95, 0.95), (80.0, 81.0, 79.0001))
    built = reports.build_report(made.study, made.records, tmp_path, only="tables")
    lines = [line for line in built.warnings if line.startswith((COLLAPSE, LOST))]
    assert len(lines) == 3
    assert "drainage (3 of 3 seeds, mean mass 0.95)" in lines[0]
    text = (tmp_path / "signatures.md").read_text()
    for threshold in ("above 0.9", "below 0.01", "between 0.45 and 0.55", "more than 0.5 points"):
        assert threshold in text


def test_figures_and_gallery_follow_what_the_records_hold(make_study: Make) -> None:
    results = _results(_made(make_study))
    drawn = {plan.name: plan.caption for plan in Topics(results).figures(results.blocks[0])}
    assert set(drawn) == {
        "drainage-mass",
        "detection-roc",
        "detection-epochs",
        "detection-auroc",
        "drained-drainage-symmetric-0-4",
    }
    assert "2 of 3" in drawn["drained-drainage-symmetric-0-4"]
    ((detection, _),) = _searched(results).blocks
    pictures = detection.pictures["drainage", NOISY]
    assert pictures.images is not None
    assert pictures.images.ravel().tolist() == list(range(48))


def test_no_gallery_has_its_reason(make_study: Make, tmp_path: Path) -> None:
    for name, words in (
        ("a", _made(make_study, pixels=False)),
        ("b", _made(make_study, methods=("ce", "gce"))),
    ):
        reports.build_report(words.study, words.records, tmp_path / name, only="tables")
    assert "images of this data set are too large" in (tmp_path / "a/detection.md").read_text()
    text = (tmp_path / "b/detection.md").read_text()
    assert "No gallery: no method of this study has an extra output" in text
    assert "No method" in (tmp_path / "b/signatures.md").read_text()
